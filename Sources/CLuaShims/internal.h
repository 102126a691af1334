// Shared by the C files of this target only.
#pragma once

#include "CLuaShims.h"

/// Runs `action` as Swift code: the allocator doesn't fail and the watchdog's clock stands still.
#define SHIM_IN_SWIFT(vm, action) do { \
    int saved_in_swift = (vm)->in_swift; (vm)->in_swift = 1; action; (vm)->in_swift = saved_in_swift; } while (0)

/// The types of error values and signals.
extern const char shim_error_type, shim_signal_type;
/// Keys of the registry.
extern const char shim_key_environment, shim_key_globals, shim_key_interned, shim_key_pending, shim_key_behind,
    shim_key_snapshot, shim_key_handler, shim_key_trip;

/// Moves a block to a new size, as `realloc`; `old` is 0 without a block, `size` 0 to give it back.
void *shim_pool_resize(shim_pool *pool, void *block, size_t old, size_t size);
/// Gives all slabs back to the system.
void shim_pool_free(shim_pool *pool);

void shim_start_watchdog(shim_vm *vm);
void shim_stop_watchdog(shim_vm *vm);
void shim_enter(shim_vm *vm, shim_vm **outer);
void shim_leave(shim_vm *vm, shim_vm *outer);
shim_switch *shim_switch_new(void);
/// Pushes the error value of a trip: the first one of this run, whose place is where it fired.
void shim_push_trip(lua_State *L, shim_vm *vm, int reason);
/// Arms the hook that ends the script.
void shim_arm(lua_State *L);
void shim_set_expired(shim_switch *s, int expired);
int shim_wake_descriptor(shim_switch *s);
void shim_wake(shim_switch *s);

/// Raises a fault with these texts (all but the message may be NULL).
int shim_raise(lua_State *L, const char *message, const char *expected, const char *got, const char *hint);
/// After Swift code: raises what had to wait.
void shim_settle(lua_State *L, shim_vm *vm);
/// True when no script may catch the error value on top; then the value to raise is on top.
bool shim_must_pass(lua_State *L, shim_vm *vm, uint64_t pending);

void shim_open_control(lua_State *L);
void shim_open_base(lua_State *L);
void shim_open_tables(lua_State *L);
void shim_open_strings(lua_State *L);
void shim_open_order(lua_State *L);
void shim_open_matching(lua_State *L);
/// Builds the sandbox; run under a protected call.
int shim_open_sandbox(lua_State *L);
/// Pushes the text of any value without addresses, calling __tostring.
const char *shim_push_text(lua_State *L, int index);
