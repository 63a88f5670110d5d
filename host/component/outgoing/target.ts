/**
 * Where a guest's request goes. Its parts are checked apart and stay apart: no URL is ever put together from a guest's
 * texts. Source: RFC 9112, section 3.2.1; RFC 3986, sections 3.2 and 3.3.
 */

/** A host with a port, as a URL holds them: no user, no path, nothing that another reader would take for either. */
const AUTHORITY = /^[\w.~%!$&'()*+,;=:[\]-]+$/;

/** A path from its slash, or a query alone; characters beyond ASCII are sent as what UTF-8 makes of them. */
// oxlint-disable-next-line no-control-regex -- they would end the request line
const PATH_WITH_QUERY = /^[/?][^\u0000-\u0020\u007f#\\<>]*$/;

/** Whether a text may be the path and query of a request: empty, from a slash, or a query alone. */
export function isPathWithQuery(text: string): boolean {
  return text === '' || PATH_WITH_QUERY.test(text);
}

/** The origin of `scheme` and `authority` in its one notation; undefined where they make none. */
export function originOf(scheme: 'http' | 'https', authority: string): string | undefined {
  if (!AUTHORITY.test(authority)) return undefined;
  const text = `${scheme}://${authority}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isOrigin = url.username === '' && url.password === '' && url.hostname !== '';
  return isOrigin ? url.origin : undefined;
}

/** What stands in the request line for a path and query that `isPathWithQuery`: ASCII, from a slash. */
export function requestTarget(pathWithQuery: string | undefined): string {
  const text = pathWithQuery ?? '';
  const path = text.startsWith('/') ? text : `/${text}`;
  return path.replace(/[^\u0021-\u007e]+/g, (run) =>
    Buffer.from(run).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );
}
