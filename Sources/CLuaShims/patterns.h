// Lua patterns that can be interrupted: the stock matcher can run for years on a short text.
//
// A pattern is compiled to items, then matched by backtracking, and the matcher looks at the VM's switch as it goes.
#pragma once

#include "internal.h"

enum { MOST_CAPTURES = 32 };

/// A set of bytes.
typedef struct {
  uint32_t bits[8];
} byte_set;

enum { ITEM_SET, ITEM_OPEN, ITEM_CLOSE, ITEM_POSITION, ITEM_REFERENCE, ITEM_BALANCE, ITEM_FRONTIER, ITEM_TAIL,
       ITEM_END };

/// One step of a pattern. A set is repeated `least` (0 or 1) times or more, the longest way first if `greedy`.
typedef struct {
  byte_set set;
  unsigned char kind, least, first, last, capture;
  bool repeated, unbounded, greedy;
} pattern_item;

/// Patterns of up to `ROOM - 1` bytes are compiled without an allocation.
enum { ROOM = 24 };

typedef struct {
  bool anchored;
  int captures;
  pattern_item *items;
  pattern_item room[ROOM];
} pattern;

typedef struct {
  const char *begin;
  ptrdiff_t length;
} capture;

/// The length of a capture that is a position.
enum { CAPTURE_POSITION = -2 };

/// One match of a pattern.
typedef struct {
  lua_State *L;
  const shim_vm *vm;
  const char *begin, *end;
  int depth;
  uint32_t steps;
  capture captures[MOST_CAPTURES];
} matcher;

/// Compiles a pattern. The items of a long one are in a userdata; one value is pushed in any case. Raises for a
/// malformed pattern.
void shim_compile_pattern(lua_State *L, const char *text, size_t length, pattern *result);
/// The end of the match of the items at `at`, or NULL. Raises when the script is to end.
const char *shim_match(matcher *m, const char *at, const pattern_item *item);
/// Counts a step of any long loop and raises when the script is to end.
void shim_poll(matcher *m);
