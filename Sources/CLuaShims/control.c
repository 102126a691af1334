// pcall, xpcall, coroutines and catch: the functions that stop an error, except one that no script may stop.
//
// What passes through all of them: a trip (time limit, cancellation) and a signal (the end of a search), also when a
// __close handler on the way replaced it by an error of its own.
#include "internal.h"

// MARK: - What passes

bool shim_must_pass(lua_State *L, shim_vm *vm, uint64_t pending) {
  const shim_object *block = shim_to_object(L, -1);
  int reason = shim_tripped(vm->stop);
  if (reason != SHIM_NO_TRIP) {
    if (!block || block->type != &shim_error_type) shim_push_trip(L, vm, reason);
    return true;
  }
  if (block && block->type == &shim_signal_type) return true;
  if (vm->pending == pending || vm->pending == 0) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_pending);
  return true;
}

// MARK: - pcall, xpcall

static int finish_pcall(lua_State *L, int status, lua_KContext pending) {
  shim_vm *vm = shim_vm_of(L);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L);
  if (shim_must_pass(L, vm, (uint64_t)pending)) return lua_error(L);
  vm->remembered = 0;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_KContext pending = (lua_KContext)shim_vm_of(L)->pending;
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, pending, finish_pcall);
  return finish_pcall(L, status, pending);
}

static int guarded_handler(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  const shim_object *block = shim_to_object(L, 1);
  if (shim_tripped(vm->stop) || (block && block->type == &shim_signal_type)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int finish_xpcall(lua_State *L, int status, lua_KContext pending) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  return finish_pcall(L, status, pending);
}

static int protected_call_with_handler(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_KContext pending = (lua_KContext)shim_vm_of(L)->pending;
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  // handler, true, function, arguments
  lua_pushvalue(L, 2);
  lua_insert(L, 1);
  lua_pushboolean(L, 1);
  lua_replace(L, 3);
  lua_pushvalue(L, 2);
  lua_remove(L, 2);
  lua_insert(L, 3);
  int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, pending, finish_xpcall);
  return finish_xpcall(L, status, pending);
}

// MARK: - catch

static int finish_catch(lua_State *L, int status, lua_KContext pending) {
  shim_vm *vm = shim_vm_of(L);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 2;
  if (!shim_must_pass(L, vm, (uint64_t)pending) || shim_tripped(vm->stop)) return lua_error(L);
  const shim_object *signal = shim_to_object(L, -1), *token = shim_to_object(L, 1);
  bool mine = false;
  if (signal && token && signal->object && token->object)
    SHIM_IN_SWIFT(vm, mine = vm->host.matches(signal->object, token->object));
  if (!mine) return lua_error(L);
  vm->pending = (uint64_t)pending;
  lua_pushboolean(L, 0);
  SHIM_IN_SWIFT(vm, vm->host.reason(L, signal->object));
  return 2;
}

static int catch_signal(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  if (!shim_to_object(L, 1)) return shim_raise(L, "wrong argument 1 of 'catch'", "a token", luaL_typename(L, 1), NULL);
  luaL_checkany(L, 2);
  int base = lua_gettop(L);
  // token, handler, true, function, arguments
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_handler);
  lua_insert(L, 2);
  lua_pushboolean(L, 1);
  lua_insert(L, 3);
  lua_KContext pending = (lua_KContext)vm->pending;
  int status = lua_pcallk(L, base - 2, LUA_MULTRET, 2, pending, finish_catch);
  return finish_catch(L, status, pending);
}

void shim_push_catch(lua_State *L) { lua_pushcfunction(L, catch_signal); }

// MARK: - Coroutines

static lua_State *coroutine_at(lua_State *L, int index) {
  lua_State *co = lua_tothread(L, index);
  if (!co) luaL_typeerror(L, index, "coroutine");
  return co;
}

static int create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

/// Runs the coroutine with the values on top of L. Returns the number of results moved to L, or -1 with the error.
static int resume(lua_State *L, lua_State *co, int arguments) {
  shim_vm *vm = shim_vm_of(L);
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  shim_link link = {vm->current, vm->links};
  vm->links = &link;
  vm->current = co;
  if (shim_tripped(vm->stop)) shim_arm(co);
  int count = 0;
  int status = lua_resume(co, L, arguments, &count);
  vm->current = link.state;
  vm->links = link.up;
  if (shim_tripped(vm->stop)) shim_arm(L);
  if (status != LUA_OK && status != LUA_YIELD) return -1;
  if (!lua_checkstack(L, count + 1)) {
    lua_pop(co, count);
    lua_pushliteral(co, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, count);
  return count;
}

/// Remembers where the error on top of the dead `co` comes from, while its stack is there.
static void remember(lua_State *L, lua_State *co) {
  shim_vm *vm = shim_vm_of(L);
  shim_link link = {L, vm->links};
  vm->links = &link;
  SHIM_IN_SWIFT(vm, vm->host.raised(co));
  vm->links = link.up;
}

/// Closes the variables of a coroutine, which may run __close handlers on its stack. Returns the status; the error
/// value of a dead one is then on top of `co`.
static int reset(lua_State *L, lua_State *co) {
  shim_vm *vm = shim_vm_of(L);
  shim_link link = {vm->current, vm->links};
  vm->links = &link;
  vm->current = co;
  if (shim_tripped(vm->stop)) shim_arm(co);
  int status = lua_resetthread(co);
  vm->current = link.state;
  vm->links = link.up;
  if (shim_tripped(vm->stop)) shim_arm(L);
  return status;
}

static int resume_function(lua_State *L) {
  lua_State *co = coroutine_at(L, 1);
  shim_vm *vm = shim_vm_of(L);
  uint64_t pending = vm->pending;
  int count = resume(L, co, lua_gettop(L) - 1);
  if (count >= 0) {
    lua_pushboolean(L, 1);
    lua_insert(L, -(count + 1));
    return count + 1;
  }
  lua_pushvalue(co, -1);
  lua_xmove(co, L, 1);
  if (shim_must_pass(L, vm, pending)) {
    // Nobody will close this coroutine any more. After a trip, with its hooks off, a __close handler could run for ever.
    if (!shim_tripped(vm->stop)) reset(L, co);
    return lua_error(L);
  }
  vm->remembered = 0;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  shim_vm *vm = shim_vm_of(L);
  uint64_t pending = vm->pending;
  int count = resume(L, co, lua_gettop(L));
  if (count >= 0) return count;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    remember(L, co);
    // With the hooks off after a trip, a __close handler could run for ever.
    if (!shim_tripped(vm->stop)) reset(L, co);
  }
  lua_xmove(co, L, 1);
  shim_must_pass(L, vm, pending);
  return lua_error(L);
}

static int wrap(lua_State *L) {
  create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int close_coroutine(lua_State *L) {
  lua_State *co = coroutine_at(L, 1);
  shim_vm *vm = shim_vm_of(L);
  lua_Debug frame;
  int status = lua_status(co);
  bool finished = status != LUA_OK && status != LUA_YIELD;
  bool idle = finished || status == LUA_YIELD || (co != L && lua_getstack(co, 0, &frame) == 0);
  if (!idle) return luaL_error(L, "cannot close a running coroutine");
  if (finished && shim_tripped(vm->stop)) return 0;
  uint64_t pending = vm->pending;
  if (reset(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_xmove(co, L, 1);
  if (shim_must_pass(L, vm, pending)) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

// MARK: - Opening

void shim_open_control(lua_State *L) {
  static const luaL_Reg base[] = {{"pcall", protected_call}, {"xpcall", protected_call_with_handler}, {NULL, NULL}};
  static const luaL_Reg coroutines[] = {
      {"create", create}, {"resume", resume_function}, {"wrap", wrap}, {"close", close_coroutine}, {NULL, NULL}};
  luaL_setfuncs(L, base, 0);
  lua_getfield(L, -1, "coroutine");
  luaL_setfuncs(L, coroutines, 0);
  lua_pop(L, 1);
}
