#include "patterns.h"

#include <ctype.h>
#include <string.h>

// MARK: - Sets

static void add(byte_set *set, unsigned byte) { set->bits[byte >> 5] |= 1u << (byte & 31); }
static bool has(const byte_set *set, unsigned char byte) { return set->bits[byte >> 5] >> (byte & 31) & 1; }

static void complement(byte_set *set) {
  for (int i = 0; i < 8; i++) set->bits[i] = ~set->bits[i];
}

static int (*classifier(int letter))(int) {
  switch (letter) {
    case 'a': return isalpha;
    case 'c': return iscntrl;
    case 'd': return isdigit;
    case 'g': return isgraph;
    case 'l': return islower;
    case 'p': return ispunct;
    case 's': return isspace;
    case 'u': return isupper;
    case 'w': return isalnum;
    case 'x': return isxdigit;
    default: return NULL;
  }
}

static byte_set classes[256];

static void fill_classes(void) {
  for (int letter = 0; letter < 256; letter++) {
    int (*belongs)(int) = isalpha(letter) ? classifier(tolower(letter)) : NULL;
    if (!belongs) add(&classes[letter], (unsigned)letter);
    for (unsigned byte = 0; belongs && byte < 256; byte++)
      if ((belongs((int)byte) != 0) != (isupper(letter) != 0)) add(&classes[letter], byte);
  }
}

/// Adds what `%letter` stands for: a class, its complement for a capital, or the byte itself.
static void add_escape(byte_set *set, unsigned char letter) {
  for (int i = 0; i < 8; i++) set->bits[i] |= classes[letter].bits[i];
}

// MARK: - Compiling

typedef struct {
  lua_State *L;
  const char *at, *end;
  int open[MOST_CAPTURES], open_count, captures;
  bool closed[MOST_CAPTURES];
} compiler;

/// `at` is behind the '['.
static byte_set read_brackets(compiler *c) {
  byte_set set = {{0}};
  bool negated = c->at < c->end && *c->at == '^';
  if (negated) c->at++;
  for (bool first = true;; first = false) {
    if (c->at >= c->end) luaL_error(c->L, "malformed pattern (missing ']')");
    unsigned char byte = (unsigned char)*c->at++;
    if (byte == ']' && !first) break;
    if (byte == '%') {
      if (c->at >= c->end) luaL_error(c->L, "malformed pattern (missing ']')");
      add_escape(&set, (unsigned char)*c->at++);
    } else if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
      for (unsigned other = byte; other <= (unsigned char)c->at[1]; other++) add(&set, other);
      c->at += 2;
    } else {
      add(&set, byte);
    }
  }
  if (negated) complement(&set);
  return set;
}

static void read_repetition(compiler *c, pattern_item *item) {
  char mark = c->at < c->end ? *c->at : 0;
  item->repeated = mark == '*' || mark == '+' || mark == '-' || mark == '?';
  if (!item->repeated) return;
  item->least = mark == '+';
  item->unbounded = mark != '?';
  item->greedy = mark != '-';
  c->at++;
}

static pattern_item read_parenthesis(compiler *c, unsigned char byte) {
  if (byte == ')') {
    if (c->open_count == 0) luaL_error(c->L, "invalid pattern capture");
    int capture = c->open[--c->open_count];
    c->closed[capture] = true;
    return (pattern_item){.kind = ITEM_CLOSE, .capture = (unsigned char)capture};
  }
  if (c->captures == MOST_CAPTURES) luaL_error(c->L, "too many captures");
  int capture = c->captures++;
  if (c->at < c->end && *c->at == ')') {
    c->at++;
    c->closed[capture] = true;
    return (pattern_item){.kind = ITEM_POSITION, .capture = (unsigned char)capture};
  }
  c->open[c->open_count++] = capture;
  return (pattern_item){.kind = ITEM_OPEN, .capture = (unsigned char)capture};
}

/// `at` is behind the '%'.
static pattern_item read_escape(compiler *c) {
  if (c->at >= c->end) luaL_error(c->L, "malformed pattern (ends with '%%')");
  unsigned char letter = (unsigned char)*c->at++;
  pattern_item item = {.kind = ITEM_SET};
  if (letter == 'b') {
    if (c->end - c->at < 2) luaL_error(c->L, "malformed pattern (missing arguments to '%%b')");
    item.kind = ITEM_BALANCE;
    item.first = (unsigned char)*c->at++;
    item.last = (unsigned char)*c->at++;
  } else if (letter == 'f') {
    if (c->at >= c->end || *c->at++ != '[') luaL_error(c->L, "missing '[' after '%%f' in pattern");
    item.kind = ITEM_FRONTIER;
    item.set = read_brackets(c);
  } else if (isdigit(letter)) {
    int capture = letter - '1';
    if (capture < 0 || capture >= c->captures || !c->closed[capture])
      luaL_error(c->L, "invalid capture index %%%d in pattern", capture + 1);
    item.kind = ITEM_REFERENCE;
    item.capture = (unsigned char)capture;
  } else {
    add_escape(&item.set, letter);
    read_repetition(c, &item);
  }
  return item;
}

static pattern_item read_item(compiler *c) {
  unsigned char byte = (unsigned char)*c->at++;
  if (byte == '(' || byte == ')') return read_parenthesis(c, byte);
  if (byte == '$' && c->at == c->end) return (pattern_item){.kind = ITEM_TAIL};
  if (byte == '%') return read_escape(c);
  pattern_item item = {.kind = ITEM_SET};
  if (byte == '[') item.set = read_brackets(c);
  else if (byte == '.') complement(&item.set);
  else add(&item.set, byte);
  read_repetition(c, &item);
  return item;
}

void shim_compile_pattern(lua_State *L, const char *text, size_t length, pattern *result) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, fill_classes);
  result->items = result->room;
  if (length < ROOM) lua_pushnil(L);
  else result->items = lua_newuserdatauv(L, (length + 1) * sizeof *result->items, 0);
  compiler c = {.L = L, .at = text, .end = text + length};
  int count = 0;
  result->anchored = length > 0 && *text == '^';
  if (result->anchored) c.at++;
  while (c.at < c.end) result->items[count++] = read_item(&c);
  if (c.open_count > 0) luaL_error(L, "unfinished capture");
  result->items[count] = (pattern_item){.kind = ITEM_END};
  result->captures = c.captures;
}

// MARK: - Matching

void shim_poll(matcher *m) {
  if (++m->steps & 0xFFF) return;
  int reason = shim_tripped(m->vm->stop);
  if (reason == SHIM_NO_TRIP) return;
  shim_push_trip(m->L, (shim_vm *)m->vm, reason);
  lua_error(m->L);
}

static const char *match_longest(matcher *m, const char *at, const pattern_item *item) {
  size_t most = (size_t)(m->end - at), count = 0;
  if (!item->unbounded && most > 1) most = 1;
  while (count < most && has(&item->set, (unsigned char)at[count])) {
    shim_poll(m);
    count++;
  }
  for (;; count--) {
    if (count < item->least) return NULL;
    shim_poll(m);
    const char *end = shim_match(m, at + count, item + 1);
    if (end || count == 0) return end;
  }
}

static const char *match_shortest(matcher *m, const char *at, const pattern_item *item) {
  for (;; at++) {
    shim_poll(m);
    const char *end = shim_match(m, at, item + 1);
    if (end) return end;
    if (at >= m->end || !has(&item->set, (unsigned char)*at)) return NULL;
  }
}

/// The end of a balanced text that begins at `at`.
static const char *skip_balanced(matcher *m, const char *at, const pattern_item *item) {
  if (at >= m->end || (unsigned char)*at != item->first) return NULL;
  size_t depth = 1;
  while (++at < m->end) {
    shim_poll(m);
    unsigned char byte = (unsigned char)*at;
    if (byte == item->last) {
      if (--depth == 0) return at + 1;
    } else if (byte == item->first) {
      depth++;
    }
  }
  return NULL;
}

static bool is_frontier(const matcher *m, const char *at, const pattern_item *item) {
  unsigned char before = at == m->begin ? 0 : (unsigned char)at[-1];
  unsigned char after = at == m->end ? 0 : (unsigned char)*at;
  return !has(&item->set, before) && has(&item->set, after);
}

static const char *skip_reference(const matcher *m, const char *at, const pattern_item *item) {
  const capture *known = &m->captures[item->capture];
  if (known->length < 0 || m->end - at < known->length) return NULL;
  return memcmp(at, known->begin, (size_t)known->length) == 0 ? at + known->length : NULL;
}

/// Matches the rest with a capture changed, and changes it back when that fails.
static const char *match_capture(matcher *m, const char *at, const pattern_item *item) {
  capture *changed = &m->captures[item->capture], saved = *changed;
  if (item->kind == ITEM_CLOSE) changed->length = at - changed->begin;
  else *changed = (capture){at, item->kind == ITEM_POSITION ? CAPTURE_POSITION : 0};
  const char *end = shim_match(m, at, item + 1);
  if (!end) *changed = saved;
  return end;
}

/// What the item at hand does when it needs no way back: the place behind it, or NULL.
static const char *skip_simple(matcher *m, const char *at, const pattern_item *item) {
  switch (item->kind) {
    case ITEM_SET: return at < m->end && has(&item->set, (unsigned char)*at) ? at + 1 : NULL;
    case ITEM_BALANCE: return skip_balanced(m, at, item);
    case ITEM_FRONTIER: return is_frontier(m, at, item) ? at : NULL;
    case ITEM_REFERENCE: return skip_reference(m, at, item);
    default: return at == m->end ? at : NULL;
  }
}

const char *shim_match(matcher *m, const char *at, const pattern_item *item) {
  if (++m->depth > 200) luaL_error(m->L, "pattern too complex");
  for (; at && item->kind != ITEM_END; item++) {
    bool captures = item->kind >= ITEM_OPEN && item->kind <= ITEM_POSITION;
    if (item->repeated || captures) {
      at = captures ? match_capture(m, at, item) : item->greedy ? match_longest(m, at, item) : match_shortest(m, at, item);
      break;
    }
    at = skip_simple(m, at, item);
  }
  m->depth--;
  return at;
}
