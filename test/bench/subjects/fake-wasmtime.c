/* A fake of the few functions of wasmtime's C API that bench/subjects/wasmtime.ts calls. Its guest answers what it reads, in two
   writes; a module of one byte is refused, one of two traps, one of three exits with 0, one of four with 3. `fake_live` counts what
   was made and not deleted. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef struct { size_t size; char *data; } vec;
typedef struct { const char *text; int exit; } failure;
typedef ssize_t (*writer)(void *, const unsigned char *, size_t);
typedef struct { vec input; writer write; void *data; } wasi;
typedef struct { bool cow; void *pool; } config;
typedef struct { config *config; } engine;
typedef struct { size_t size; } module;
typedef struct { engine *engine; bool wasi; } linker;
typedef struct { module *module; } prepared;
typedef struct { wasi *wasi; uint64_t id; module *module; } store;

static long live, stores, calls;
long fake_live(void) { return live; }
long fake_stores(void) { return stores; }
long fake_calls(void) { return calls; }

static void *made(size_t size) { live++; return calloc(1, size); }
static void gone(void *it) { live--; free(it); }
static failure *failed(const char *text, int code) { failure *it = made(sizeof *it); it->text = text; it->exit = code; return it; }

config *wasm_config_new(void) { return made(sizeof(config)); }
void wasmtime_config_memory_init_cow_set(config *it, bool cow) { it->cow = cow; }
uint32_t *wasmtime_pooling_allocation_config_new(void) { return made(sizeof(uint32_t)); }
void wasmtime_pooling_allocation_config_total_memories_set(uint32_t *it, uint32_t count) { *it = count; }
void wasmtime_pooling_allocation_config_delete(uint32_t *it) { gone(it); }
void wasmtime_pooling_allocation_strategy_set(config *it, uint32_t *pool) { it->pool = *pool > 0 ? it : NULL; }
engine *wasm_engine_new_with_config(config *it) { engine *made_ = made(sizeof(engine)); made_->config = it; return made_; }
void wasm_engine_delete(engine *it) { gone(it->config); gone(it); }
failure *wasmtime_module_new(engine *in, const uint8_t *bytes, size_t size, module **out) {
  (void)bytes;
  if (!in->config->cow || in->config->pool == NULL) return failed("no pool, or no copy-on-write", -1);
  if (size == 1) return failed("it is no module", -1);
  *out = made(sizeof(module));
  (*out)->size = size;
  return NULL;
}
void wasmtime_module_delete(module *it) { gone(it); }
linker *wasmtime_linker_new(engine *in) { linker *it = made(sizeof *it); it->engine = in; return it; }
failure *wasmtime_linker_define_wasi(linker *it) { it->wasi = true; return NULL; }
failure *wasmtime_linker_instantiate_pre(linker *it, module *of, prepared **out) {
  if (!it->wasi) return failed("WASI is not defined", -1);
  *out = made(sizeof **out);
  (*out)->module = of;
  return NULL;
}
void wasmtime_linker_delete(linker *it) { gone(it); }
failure *wasmtime_instance_pre_instantiate(prepared *it, store *in, uint64_t *out, void **trap) {
  (void)trap;
  if (in->wasi == NULL) return failed("the store has no WASI", -1);
  in->module = it->module;
  out[0] = in->id;
  return NULL;
}
void wasmtime_instance_pre_delete(prepared *it) { gone(it); }
bool wasmtime_instance_export_get(store *in, const uint64_t *instance, const char *name, size_t size, uint8_t *out) {
  if (instance[0] != in->id || size != 6 || memcmp(name, "_start", 6) != 0) return false;
  out[0] = 0;
  memcpy(out + 8, &in->id, 8);
  return true;
}
failure *wasmtime_func_call(store *in, const uint64_t *func, void *args, size_t nargs, void *results, size_t nresults, failure **trap) {
  (void)args; (void)nargs; (void)results; (void)nresults;
  calls++;
  if (func[0] != in->id) return failed("the function is of another store", -1);
  if (in->module->size == 2) { *trap = failed("wasm trap: unreachable", -1); return NULL; }
  wasi *it = in->wasi;
  size_t half = it->input.size / 2;
  const unsigned char *bytes = (const unsigned char *)it->input.data;
  if (half > 0) it->write(it->data, bytes, half);
  if (it->input.size > half) it->write(it->data, bytes + half, it->input.size - half);
  if (in->module->size == 3) return failed("exit 0", 0);
  if (in->module->size == 4) return failed("Exited with i32 exit status 3", 3);
  return NULL;
}
store *wasmtime_store_new(engine *in, void *data, void (*end)(void *)) {
  (void)in; (void)data; (void)end;
  store *it = made(sizeof *it);
  it->id = ++stores;
  return it;
}
store *wasmtime_store_context(store *it) { return it; }
failure *wasmtime_context_set_wasi(store *it, wasi *of) { it->wasi = of; return NULL; }
void wasm_byte_vec_delete(vec *it) { gone(it->data); it->size = 0; it->data = NULL; }
void wasmtime_store_delete(store *it) {
  if (it->wasi != NULL) { wasm_byte_vec_delete(&it->wasi->input); gone(it->wasi); }
  gone(it);
}
wasi *wasi_config_new(void) { return made(sizeof(wasi)); }
void wasi_config_set_stdin_bytes(wasi *it, vec *bytes) { it->input = *bytes; bytes->size = 0; bytes->data = NULL; }
void wasi_config_set_stdout_custom(wasi *it, writer write, void *data, void (*end)(void *)) {
  (void)end;
  it->write = write;
  it->data = data;
}
void wasm_byte_vec_new(vec *it, size_t size, const char *data) {
  it->size = size;
  it->data = made(size + 1);
  memcpy(it->data, data, size);
}
static void tell(const failure *it, vec *out) { wasm_byte_vec_new(out, strlen(it->text), it->text); }
void wasmtime_error_message(const failure *it, vec *out) { tell(it, out); }
bool wasmtime_error_exit_status(const failure *it, int *status) { if (it->exit < 0) return false; *status = it->exit; return true; }
void wasmtime_error_delete(failure *it) { gone(it); }
void wasm_trap_message(const failure *it, vec *out) { tell(it, out); }
void wasm_trap_delete(failure *it) { gone(it); }
