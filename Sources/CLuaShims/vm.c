// The VM: memory, host functions, protected calls.
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char shim_error_type, shim_signal_type;
const char shim_key_environment, shim_key_globals, shim_key_interned, shim_key_pending, shim_key_behind,
    shim_key_snapshot, shim_key_handler, shim_key_trip;
static const char shim_key_function, shim_key_caught, shim_key_traced;

const void *shim_error_key(void) { return &shim_error_type; }
const void *shim_signal_key(void) { return &shim_signal_type; }
const void *shim_caught_key(void) { return &shim_key_caught; }
const void *shim_traced_key(void) { return &shim_key_traced; }

// MARK: - Places

static bool frame_place(lua_State *L, char *buffer, size_t size) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(L, level, &frame); level++) {
    if (lua_getinfo(L, "Sl", &frame) && frame.currentline > 0 && frame.source[0] == '@') {
      snprintf(buffer, size, "%s:%d", frame.source + 1, frame.currentline);
      return true;
    }
  }
  return false;
}

void shim_place(lua_State *L, const shim_vm *vm, char *buffer, size_t size) {
  buffer[0] = 0;
  if (frame_place(L, buffer, size)) return;
  for (const shim_link *link = vm->links; link; link = link->up) {
    if (frame_place(link->state, buffer, size)) return;
  }
}

// MARK: - Memory

// Where memory ran out. What is allocated while the error unwinds fails too; by then there are no frames.
static void remember_memory_place(lua_State *L, shim_vm *vm) {
  char place[sizeof vm->memory_place];
  shim_place(L, vm, place, sizeof place);
  if (place[0]) memcpy(vm->memory_place, place, sizeof place);
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  shim_vm *vm = context;
  size_t old = block ? old_size : 0;
  if (new_size > old && vm->used + vm->external + (new_size - old) > vm->limit) {
    if (!vm->in_swift) {
      remember_memory_place(vm->current, vm);
      return NULL;
    }
    vm->over = 1;
  }
  void *result = shim_pool_resize(&vm->pool, block, old, new_size);
  if (result || new_size == 0) vm->used += new_size - old;
  return result;
}

/// Native memory drives the collector, half as fast as Lua's own does: what scripts dropped is then given back, and used
/// again, while it is still in the caches.
static void step_for_external(lua_State *L, shim_vm *vm) {
  size_t grown = vm->external_debt - vm->external_stepped;
  if (grown < (64 << 10)) return;
  vm->external_stepped = vm->external_debt;
  lua_gc(L, LUA_GCSTEP, grown >> 11 > INT_MAX ? INT_MAX : (int)(grown >> 11));
}

/// The collections of young objects leave what has survived two of them: native memory of that age waits for a full one,
/// which marks the whole heap. It comes when so much was added that what is released may be worth it.
static bool wants_full_collection(const shim_vm *vm) {
  size_t due = 16 << 20;
  if (due < vm->external / 2) due = vm->external / 2;
  if (due < vm->used) due = vm->used;
  return vm->over || vm->external_debt >= due;
}

void shim_settle(lua_State *L, shim_vm *vm) {
  step_for_external(L, vm);
  if (!wants_full_collection(vm)) return;
  vm->external_debt = vm->external_stepped = 0;
  lua_gc(L, LUA_GCCOLLECT);
  if (!vm->over) return;
  vm->over = 0;
  if (vm->used + vm->external <= vm->limit) return;
  remember_memory_place(L, vm);
  lua_newuserdatauv(L, (size_t)1 << 46, 0);
}

// MARK: - Host functions

static int function_gc(lua_State *L) {
  void **box = lua_touserdata(L, 1);
  shim_vm *vm = shim_vm_of(L);
  if (box && *box) {
    void *function = *box;
    *box = NULL;
    SHIM_IN_SWIFT(vm, vm->host.release(function));
  }
  return 0;
}

static int raise_from_swift(lua_State *L, shim_vm *vm) {
  const shim_object *block = shim_to_object(L, -1);
  if (block && block->type == &shim_signal_type) {
    vm->pending = ++vm->signals;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_pending);
  }
  return lua_error(L);
}

static int trampoline(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  void **box = lua_touserdata(L, lua_upvalueindex(1));
  uint64_t pending = vm->pending;
  vm->calls++;
  vm->in_swift = 1;
  int results = vm->host.call(L, *box);
  vm->in_swift = 0;
  if (vm->over || vm->external_debt) shim_settle(L, vm);
  if (shim_tripped(vm->stop)) shim_arm(L);
  if (results < 0) return raise_from_swift(L, vm);
  vm->pending = pending;
  return results;
}

void shim_push_function(lua_State *L, void *function) {
  void **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = function;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_function) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, function_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_function);
  }
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, trampoline, 1);
}

void *shim_to_function(lua_State *L, int index) {
  if (lua_tocfunction(L, index) != trampoline) return NULL;
  lua_getupvalue(L, index, 1);
  void **box = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return box ? *box : NULL;
}

// MARK: - Checked functions

static int checked_end(lua_State *L, int status, lua_KContext context) { return lua_gettop(L); }

static int call_checked(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checkstack(L, 3, NULL);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 2);
  lua_call(L, count + 1, LUA_MULTRET);
  luaL_checkstack(L, 1, NULL);
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, checked_end);
  return lua_gettop(L);
}

void shim_push_checked(lua_State *L) { lua_pushcclosure(L, call_checked, 3); }

bool shim_is_checked(lua_State *L, int index) { return lua_tocfunction(L, index) == call_checked; }

int shim_raise(lua_State *L, const char *message, const char *expected, const char *got, const char *hint) {
  shim_vm *vm = shim_vm_of(L);
  SHIM_IN_SWIFT(vm, vm->host.fault(L, message, expected, got, hint));
  return lua_error(L);
}

// MARK: - Protected calls

static int message_handler(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  SHIM_IN_SWIFT(vm, vm->host.raised(L));
  lua_settop(L, 1);
  return 1;
}

int shim_call(lua_State *L, int arguments, int results) {
  shim_vm *vm = shim_vm_of(L), *outer = NULL;
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, message_handler);
  lua_insert(L, base);
  int saved = vm->in_swift;
  bool outermost = !vm->running;
  if (outermost) shim_enter(vm, &outer);
  vm->in_swift = 0;
  if (shim_tripped(vm->stop)) shim_arm(L);
  int status = lua_pcall(L, arguments, results, base);
  vm->in_swift = saved;
  if (outermost) shim_leave(vm, outer);
  lua_remove(L, base);
  return status;
}

// MARK: - Life

static int panic(lua_State *L) {
  fprintf(stderr, "nasrun: an error outside of any protected call: %s\n", lua_tostring(L, -1));
  return 0;
}

shim_vm *shim_open(const shim_host *host, void *host_object, size_t limit, double seconds, double grace, int trusted) {
  shim_vm *vm = calloc(1, sizeof *vm);
  if (!vm) return NULL;
  vm->host = *host;
  vm->host_object = host_object;
  vm->limit = limit;
  vm->seconds = seconds;
  vm->grace = grace;
  vm->trusted = trusted;
  vm->in_swift = 1;
  vm->stop = shim_switch_new();
  pthread_mutex_init(&vm->lock, NULL);
  lua_State *L = vm->stop ? lua_newstate(allocate, vm) : NULL;
  if (!L) {
    shim_pool_free(&vm->pool);
    free(vm);
    return NULL;
  }
  vm->main = vm->current = L;
  *(shim_vm **)lua_getextraspace(L) = vm;
  lua_atpanic(L, panic);
  // Most of what a script makes in a step is dropped in the next: marking the whole heap for it would cost more than the
  // script's own work. Numbers of 0 are Lua's own.
  lua_gc(L, LUA_GCGEN, 0, 0);
  lua_pushcfunction(L, message_handler);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_handler);
  lua_pushcfunction(L, shim_open_sandbox);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    fprintf(stderr, "nasrun: the Lua sandbox can't be built: %s\n", lua_tostring(L, -1));
    shim_close(vm);
    return NULL;
  }
  return vm;
}

void shim_close(shim_vm *vm) {
  shim_stop_watchdog(vm);
  vm->in_swift = 1;
  lua_close(vm->main);
  shim_pool_free(&vm->pool);
  pthread_mutex_destroy(&vm->lock);
  shim_switch_release(vm->stop);
  free(vm);
}

int shim_dump(lua_State *L, lua_Writer writer, void *data) { return lua_dump(L, writer, data, 1); }
