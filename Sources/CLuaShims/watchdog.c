// The limits that cost nothing until they fire.
//
// A thread looks a few times per limit whether the script still calls the host. When it doesn't, or when the run is
// cancelled, the thread sends SIGURG to the script's thread, whose handler arms the debug hook of the running coroutine
// for every instruction: the hook raises, and raises again whatever the script does, until the outermost call returns.
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct shim_switch {
  _Atomic int references;
  _Atomic int cancelled;
  _Atomic int expired;
  _Atomic int limit;
  int wake;
};

static __thread shim_vm *volatile running_vm;

// MARK: - The switch

shim_switch *shim_switch_new(void) {
  shim_switch *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->references = 1;
  s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return s;
}

shim_switch *shim_switch_retain(shim_switch *s) {
  atomic_fetch_add(&s->references, 1);
  return s;
}

void shim_switch_release(shim_switch *s) {
  if (atomic_fetch_sub(&s->references, 1) > 1) return;
  close(s->wake);
  free(s);
}

void shim_wake(shim_switch *s) {
  uint64_t one = 1;
  int saved = errno;
  if (write(s->wake, &one, sizeof one) < 0) { /* the counter is full: the watchdog wakes anyway */ }
  errno = saved;
}

int shim_wake_descriptor(shim_switch *s) { return s->wake; }

void shim_cancel(shim_switch *s) {
  atomic_store(&s->cancelled, 1);
  shim_wake(s);
}

void shim_uncancel(shim_switch *s) { atomic_store(&s->cancelled, 0); }
void shim_set_expired(shim_switch *s, int expired) { atomic_store(&s->expired, expired); }

int shim_tripped(const shim_switch *s) {
  if (atomic_load_explicit(&s->cancelled, memory_order_relaxed)) return SHIM_TRIP_CANCELLED;
  if (atomic_load_explicit(&s->expired, memory_order_relaxed)) return SHIM_TRIP_TIME;
  return atomic_load_explicit(&s->limit, memory_order_relaxed);
}

// MARK: - Limits of a stretch of work

/// Resident memory of the process in bytes; 0 when it can't be read.
static size_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file) return 0;
  size_t total, pages = 0;
  if (fscanf(file, "%zu %zu", &total, &pages) != 2) pages = 0;
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void shim_begin_limit(shim_vm *vm, double seconds, size_t bytes) {
  pthread_mutex_lock(&vm->lock);
  vm->limit_seconds = seconds;
  vm->limit_resident = bytes ? resident() + bytes : 0;
  vm->limit_is_new = 1;
  pthread_mutex_unlock(&vm->lock);
  shim_wake(vm->stop);
}

int shim_end_limit(shim_vm *vm) {
  pthread_mutex_lock(&vm->lock);
  vm->limit_seconds = 0;
  vm->limit_resident = 0;
  int reason = atomic_exchange(&vm->stop->limit, SHIM_NO_TRIP);
  vm->trip_raised = SHIM_NO_TRIP;
  pthread_mutex_unlock(&vm->lock);
  return reason;
}

static double seconds(clockid_t clock) {
  struct timespec time = {0, 0};
  clock_gettime(clock, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void shim_begin_wait(shim_vm *vm) {
  pthread_mutex_lock(&vm->lock);
  vm->wait_start = seconds(CLOCK_MONOTONIC);
  pthread_mutex_unlock(&vm->lock);
}

void shim_end_wait(shim_vm *vm) {
  pthread_mutex_lock(&vm->lock);
  vm->lost_seconds += seconds(CLOCK_MONOTONIC) - vm->wait_start;
  vm->wait_start = 0;
  pthread_mutex_unlock(&vm->lock);
}

double shim_lost_seconds(shim_vm *vm) {
  pthread_mutex_lock(&vm->lock);
  double lost = vm->lost_seconds;
  pthread_mutex_unlock(&vm->lock);
  return lost;
}

/// Looks at the limits; `elapsed` is the time since the last look.
static void look_at_limits(shim_vm *vm, double elapsed) {
  if (vm->limit_is_new || vm->wait_start > 0) elapsed = 0;
  vm->limit_is_new = 0;
  if (vm->limit_seconds > 0) {
    vm->limit_seconds -= elapsed;
    if (vm->limit_seconds <= 0) atomic_store(&vm->stop->limit, SHIM_TRIP_LIMIT_TIME);
  }
  if (vm->limit_resident && resident() > vm->limit_resident) atomic_store(&vm->stop->limit, SHIM_TRIP_LIMIT_MEMORY);
}

// MARK: - The hook

void shim_push_trip(lua_State *L, shim_vm *vm, int reason) {
  if (vm->trip_raised != reason) {
    SHIM_IN_SWIFT(vm, vm->host.trip(L, reason));
    vm->trip_raised = reason;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_trip);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_trip);
  }
}

static void end_script(lua_State *L, lua_Debug *frame) {
  (void)frame;
  shim_vm *vm = shim_vm_of(L);
  int reason = shim_tripped(vm->stop);
  if (reason == SHIM_NO_TRIP) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  shim_push_trip(L, vm, reason);
  lua_error(L);
}

/// The hook sees every instruction, but no call of a C function: message handlers must run.
void shim_arm(lua_State *L) { lua_sethook(L, end_script, LUA_MASKCOUNT, 1); }

static void interrupted(int signal) {
  (void)signal;
  shim_vm *vm = running_vm;
  if (!vm) return;
  if (vm->want_place) {
    shim_place(vm->current, vm, vm->place, sizeof vm->place);
    vm->want_place = 0;
  }
  if (!vm->in_swift && shim_tripped(vm->stop)) shim_arm(vm->current);
}

static void install_handler(void) {
  struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, NULL);
}

// MARK: - The thread

typedef struct {
  double last, worked, idle, ignored;
  uint64_t calls;
  pthread_t thread;
} shim_clock;

/// The time that the script's thread has computed since the last look: what a busy machine takes from it doesn't count.
static double work_since(shim_vm *vm, shim_clock *clock) {
  clockid_t processor;
  if (pthread_getcpuclockid(vm->thread, &processor)) return 0;
  double worked = seconds(processor), before = clock->worked;
  clock->worked = worked;
  if (pthread_equal(clock->thread, vm->thread) && worked >= before) return worked - before;
  clock->thread = vm->thread;
  return 0;
}

/// One look at the running script; returns the trip that it has ignored for too long.
static int look(shim_vm *vm, shim_clock *clock, double elapsed) {
  double worked = work_since(vm, clock);
  look_at_limits(vm, elapsed);
  if (vm->in_swift || vm->calls != clock->calls) {
    clock->calls = vm->calls;
    clock->idle = 0;
  } else {
    clock->idle += worked;
  }
  if (vm->seconds > 0 && clock->idle >= vm->seconds) shim_set_expired(vm->stop, 1);
  int reason = shim_tripped(vm->stop);
  if (reason == SHIM_NO_TRIP) clock->ignored = 0;
  if (reason == SHIM_NO_TRIP || vm->in_swift) return SHIM_NO_TRIP;
  pthread_kill(vm->thread, SIGURG);
  clock->ignored += worked;
  if (clock->ignored < vm->grace) return SHIM_NO_TRIP;
  clock->ignored = 0;
  return reason;
}

/// Ends a script that can't be interrupted, with the line where it hangs.
static void give_up(shim_vm *vm, int reason) {
  vm->place[0] = 0;
  vm->want_place = 1;
  pthread_kill(vm->thread, SIGURG);
  for (int wait = 0; vm->want_place && wait < 100; wait++) usleep(1000);
  vm->host.unresponsive(vm->host_object, reason, vm->place);
}

static int tick_milliseconds(const shim_vm *vm) {
  if (shim_tripped(vm->stop)) return 20;
  double tick = vm->seconds > 0 ? vm->seconds * 1000 / 16 : 500;
  if (vm->limit_resident && tick > 20) tick = 20;
  if (vm->limit_seconds > 0 && tick > vm->limit_seconds * 1000) tick = vm->limit_seconds * 1000;
  return tick < 5 ? 5 : tick > 500 ? 500 : (int)tick;
}

static void *watch(void *argument) {
  shim_vm *vm = argument;
  shim_clock clock = {.last = seconds(CLOCK_MONOTONIC), .thread = pthread_self()};
  struct pollfd wake = {.fd = shim_wake_descriptor(vm->stop), .events = POLLIN};
  while (!vm->closing) {
    int tick = tick_milliseconds(vm);
    if (poll(&wake, 1, tick) > 0) {
      uint64_t count;
      if (read(wake.fd, &count, sizeof count) < 0) continue;
    }
    double time = seconds(CLOCK_MONOTONIC), elapsed = time - clock.last, longest = 1.5e-3 * tick + 0.1;
    clock.last = time;
    pthread_mutex_lock(&vm->lock);
    // A machine that slept, or a process that was stopped, isn't at work.
    if (elapsed > longest) {
      if (vm->wait_start == 0) vm->lost_seconds += elapsed - longest;
      elapsed = longest;
    }
    int reason = SHIM_NO_TRIP;
    if (vm->running) {
      reason = look(vm, &clock, elapsed);
      if (reason) give_up(vm, reason);
    } else {
      clock.idle = clock.ignored = 0;
    }
    pthread_mutex_unlock(&vm->lock);
  }
  return NULL;
}

void shim_start_watchdog(shim_vm *vm) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handler);
  if (vm->watching) return;
  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &saved);
  vm->watching = pthread_create(&vm->watchdog, NULL, watch, vm) == 0;
  pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

void shim_stop_watchdog(shim_vm *vm) {
  if (!vm->watching) return;
  vm->closing = 1;
  shim_wake(vm->stop);
  pthread_join(vm->watchdog, NULL);
  vm->watching = 0;
}

// MARK: - The outermost call

/// Threads of a dispatch pool block every signal.
static void unblock(void) {
  sigset_t urgent;
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  pthread_sigmask(SIG_UNBLOCK, &urgent, NULL);
}

void shim_enter(shim_vm *vm, shim_vm **outer) {
  shim_start_watchdog(vm);
  unblock();
  pthread_mutex_lock(&vm->lock);
  vm->thread = pthread_self();
  vm->running = 1;
  vm->calls++;
  *outer = running_vm;
  running_vm = vm;
  pthread_mutex_unlock(&vm->lock);
}

void shim_leave(shim_vm *vm, shim_vm *outer) {
  pthread_mutex_lock(&vm->lock);
  running_vm = outer;
  vm->running = 0;
  vm->pending = 0;
  shim_set_expired(vm->stop, 0);
  vm->trip_raised = 0;
  pthread_mutex_unlock(&vm->lock);
  lua_sethook(vm->main, NULL, 0, 0);
}
