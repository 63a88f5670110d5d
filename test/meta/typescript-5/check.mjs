/**
 * `node check.mjs CONFIG...`: a line of JSON for each tsconfig.json, what TypeScript 5 finds wrong with it. What all of them have in
 * common is parsed once. The declarations of typebox, which take ten times as long as all others, are read and not checked:
 * TypeScript 7 does that.
 */

import ts from 'typescript';

const parsed = new Map();

function programOf(path) {
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ts.sys.getCurrentDirectory());
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, how, ...rest) => {
    const key = `${file} ${how.impliedNodeFormat}`;
    if (!parsed.has(key)) parsed.set(key, read(file, how, ...rest));
    return parsed.get(key);
  };
  return ts.createProgram({ rootNames: fileNames, options, host });
}

function diagnose(program) {
  const files = program.getSourceFiles().filter(({ fileName }) => !fileName.includes('/node_modules/typebox/'));
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return ts.formatDiagnostics(found, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ts.sys.getCurrentDirectory(),
    getNewLine: () => '\n',
  });
}

for (const path of process.argv.slice(2)) process.stdout.write(`${JSON.stringify(diagnose(programOf(path)))}\n`);
