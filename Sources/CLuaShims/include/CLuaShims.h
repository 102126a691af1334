// What Swift needs of Lua beyond its plain C functions: the one place where a Lua error is raised.
//
// Swift never raises. It is called by a trampoline, returns a status, and the trampoline raises when the Swift frames
// are gone. While Swift runs, `in_swift` is set and the allocator never fails; a breach of the memory cap is raised by
// the trampoline afterwards.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What `shim_host.call` returns instead of a number of results: the error value is on top of the stack.
#define SHIM_RAISE (-1)

static const int SHIM_NO_TRIP = 0, SHIM_TRIP_TIME = 1, SHIM_TRIP_CANCELLED = 2, SHIM_TRIP_LIMIT_TIME = 3,
    SHIM_TRIP_LIMIT_MEMORY = 4;

static const int shim_registry = LUA_REGISTRYINDEX;

/// The part of a VM that other threads and signal handlers may touch. It outlives the VM while references remain.
typedef struct shim_switch shim_switch;
shim_switch *shim_switch_retain(shim_switch *s);
void shim_switch_release(shim_switch *s);
/// Asks the VM to stop. Safe in a signal handler and on any thread.
void shim_cancel(shim_switch *s);
/// Takes a cancellation back.
void shim_uncancel(shim_switch *s);
/// One of the SHIM_TRIP values.
int shim_tripped(const shim_switch *s);

/// The Swift side of a VM. No function may raise; all of them run with `in_swift` set.
typedef struct {
  /// A host function: pushes results and returns their number, or pushes an error value and returns SHIM_RAISE.
  int (*call)(lua_State *L, void *function);
  /// Gives up one retain of a Swift object.
  void (*release)(void *object);
  /// Ends the use of a Swift object's native resources; `release` follows.
  void (*close)(void *object);
  /// An error is about to unwind the stack of L; its value is on top. Remembers the place and the traceback.
  void (*raised)(lua_State *L);
  /// Pushes the error value of a trip.
  void (*trip)(lua_State *L, int reason);
  /// Pushes the error value of a mistake found by C code. Any text but the message may be NULL.
  void (*fault)(lua_State *L, const char *message, const char *expected, const char *got, const char *hint);
  /// True when the signal `signal` is the one that `token` stands for.
  bool (*matches)(void *signal, void *token);
  /// Pushes the reason of a signal.
  void (*reason)(lua_State *L, void *signal);
  /// Pushes the text by which a key of the userdata at the top is ordered, or nil.
  void (*order)(lua_State *L, void *object);
  /// One line printed by the script.
  void (*print)(void *host, const char *text, size_t length);
  /// The next 64 random bits.
  uint64_t (*random)(void *host);
  /// Called on the watchdog's thread when the script ignored a trip for `grace` seconds.
  void (*unresponsive)(void *host, int reason, const char *place);
} shim_host;

/// A chain of the coroutines that wait for the running one.
typedef struct shim_link {
  lua_State *state;
  struct shim_link *up;
} shim_link;

/// How many sizes of small blocks there are.
#define SHIM_POOL_SIZES 16
typedef struct shim_block shim_block;

/// The small blocks of a VM (pool.c): lists of free ones by size, and the slabs that all come from.
typedef struct {
  shim_block *free[SHIM_POOL_SIZES], *slabs;
  char *next;
  size_t left;
} shim_pool;

/// One VM.
typedef struct shim_vm {
  lua_State *main;
  lua_State *volatile current;
  shim_link *links;
  shim_switch *stop;
  shim_host host;
  void *host_object;

  volatile int in_swift;
  volatile int running;
  volatile uint64_t calls;

  shim_pool pool;
  /// `external_debt` is what native memory has grown by since the last full collection, `external_stepped` the part of
  /// it that the collector has made steps for.
  size_t used, limit, external, external_debt, external_stepped;
  int over;
  char memory_place[256];

  uint64_t signals, pending;
  int remembered, trip_raised;
  uint64_t serial;
  int trusted;

  pthread_t thread, watchdog;
  pthread_mutex_t lock;
  double seconds, grace;
  double limit_seconds;
  double lost_seconds, wait_start;  // not at work: stopped or waiting; when the wait began, 0 when there is none
  size_t limit_resident;
  int limit_is_new;
  volatile int closing, watching, want_place;
  char place[256];
} shim_vm;

/// A new VM with its sandbox, or NULL without memory. `limit` is bytes, `seconds` the time without a host call (0: any).
shim_vm *shim_open(const shim_host *host, void *host_object, size_t limit, double seconds, double grace, int trusted);
void shim_close(shim_vm *vm);
static inline shim_vm *shim_vm_of(lua_State *L) { return *(shim_vm **)lua_getextraspace(L); }

/// Begins a limit on the time and on the resident memory of the process, beyond what it takes now (0: any). When one is
/// reached, the VM trips until the limit is ended.
/// Stops the clocks of limits until `shim_end_wait`: the script's thread waits for another process.
void shim_begin_wait(shim_vm *vm);
void shim_end_wait(shim_vm *vm);
/// The time that waits have taken, and in which the process was stopped.
double shim_lost_seconds(shim_vm *vm);
void shim_begin_limit(shim_vm *vm, double seconds, size_t bytes);
/// Ends the limit. Returns the trip that it caused, or SHIM_NO_TRIP.
int shim_end_limit(shim_vm *vm);

// MARK: - Calls

/// Calls the function below `arguments` values; like lua_pcall with the traceback handler. Returns the status.
int shim_call(lua_State *L, int arguments, int results);
/// Pushes a host function; takes over one retain of `function`.
void shim_push_function(lua_State *L, void *function);
/// The host function object of the value at `index`, or NULL.
void *shim_to_function(lua_State *L, int index);
/// Makes one function of the check, its first argument and the function on top: it calls the function with what the check
/// returns for the arguments. Unlike a Lua function, it leaves the frame of a caller that ends with `return checked(…)`.
void shim_push_checked(lua_State *L);
/// Whether the value at `index` was made by `shim_push_checked`.
bool shim_is_checked(lua_State *L, int index);
/// Writes "file:line" of the innermost recipe frame (a chunk whose name starts with '@'), or "".
void shim_place(lua_State *L, const shim_vm *vm, char *buffer, size_t size);

// MARK: - Userdata

/// The block of a userdata that stands for a Swift object.
typedef struct {
  shim_vm *vm;
  void *object;
  const void *type;
  uint64_t serial;
  size_t bytes;
} shim_object;

/// Pushes the userdata of `object`, the same one as long as it is alive. Takes over one retain in any case.
/// The metatable is the registry's value at `(void *)type`; without one, nothing is pushed and the result is false.
bool shim_push_object(lua_State *L, void *object, const void *type, size_t bytes, bool interned);
/// The block at `index`, or NULL when the value is anything else.
shim_object *shim_to_object(lua_State *L, int index);
/// Makes the metatable at the top of the stack one of a userdata type: __gc, __close, __metatable.
void shim_seal_metatable(lua_State *L);
/// Pushes an __index function that looks in the table below, then calls the host function on top; pops both.
void shim_push_index(lua_State *L);
/// Tells the VM that a userdata's native memory changed.
void shim_count_bytes(lua_State *L, shim_object *block, size_t bytes);
/// The types under which error values and signals are pushed.
const void *shim_error_key(void);
const void *shim_signal_key(void);
/// Where the host keeps the value of the error that last reached Swift, and of the one whose traceback it took.
const void *shim_caught_key(void);
const void *shim_traced_key(void);

// MARK: - Library

typedef struct {
  const char *name;
  const char *begin;
  const char *end;
} shim_module;
/// The embedded scripts, named by their path below `Scripts`.
const shim_module *shim_modules(void);
int shim_module_count(void);

/// Pushes the table of globals that a chunk sees, read-only and strict.
void shim_push_environment(lua_State *L);
/// Pushes the table behind it, to which the host may add.
void shim_push_globals(lua_State *L);
/// Replaces the table at the top by a read-only view of it; `name` is for error texts.
void shim_make_read_only(lua_State *L, const char *name);
/// Moves what the table at the top has behind it, so that reading and writing go to its metatable; needs 5 free slots.
void shim_freeze(lua_State *L);
/// Pushes a function `catch(token, f, ...)`: true and the results, or false and the reason of that token's signal.
void shim_push_catch(lua_State *L);
/// The table behind a read-only view at `index`: pushes it and returns true, or pushes nothing.
bool shim_push_behind(lua_State *L, int index);

// MARK: - Macros as functions

static inline void shim_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }
static inline void shim_remove(lua_State *L, int index) { lua_rotate(L, index, -1); shim_pop(L, 1); }
static inline void shim_insert(lua_State *L, int index) { lua_rotate(L, index, 1); }
/// The stripped bytecode of the Lua function on top of the stack, through `writer`.
int shim_dump(lua_State *L, lua_Writer writer, void *data);
