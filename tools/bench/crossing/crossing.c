// Values for user code in Node, by two roads: each made by Node-API, or all of them as one text for JSON.parse. Only the
// crossing is counted: what is crossed with lies ready, and goes with its handle scope.
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 4096 };

static char names[MEMBERS][16], texts[MEMBERS][24];
static char json[MEMBERS * 48];

static void check(napi_status status) {
  if (status != napi_ok) abort();
}

static napi_value text(napi_env env, const char *chars, size_t length) {
  napi_value made;
  check(napi_create_string_utf8(env, chars, length, &made));
  return made;
}

/* Every third member is an integer, as it is in queries and forms; the others are texts. */
static napi_value member(napi_env env, int at) {
  napi_value made;
  if (at % 3 != 2) return text(env, texts[at], strlen(texts[at]));
  check(napi_create_int64(env, at * 1000, &made));
  return made;
}

static size_t prepare(int members) {
  char *end = json;
  for (int at = 0; at < members; at++) {
    sprintf(names[at], "member%d", at);
    sprintf(texts[at], "a text of %d", at);
    end += sprintf(end, "%c\"%s\":", at ? ',' : '{', names[at]);
    end += at % 3 == 2 ? sprintf(end, "%d", at * 1000) : sprintf(end, "\"%s\"", texts[at]);
  }
  *end++ = '}';
  return (size_t)(end - json);
}

/* An object, defined member by member. */
static napi_value built(napi_env env, int members) {
  static napi_property_descriptor described[MEMBERS];
  napi_value object;
  check(napi_create_object(env, &object));
  for (int at = 0; at < members; at++)
    described[at] = (napi_property_descriptor){.name = text(env, names[at], strlen(names[at])),
                                               .value = member(env, at),
                                               .attributes = napi_default_jsproperty};
  check(napi_define_properties(env, object, (size_t)members, described));
  return object;
}

/* run(road, members, times, function): 0 defines members, 1 hands them to the function, which makes the object, 2 has
   JSON.parse, the function, read one text. */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value given[4], none, made;
  size_t count = 4;
  int road, members, times;
  check(napi_get_cb_info(env, info, &count, given, NULL, NULL));
  check(napi_get_value_int32(env, given[0], &road));
  check(napi_get_value_int32(env, given[1], &members));
  check(napi_get_value_int32(env, given[2], &times));
  check(napi_get_undefined(env, &none));
  size_t length = prepare(members);
  for (int turn = 0; turn < times; turn++) {
    napi_handle_scope scope;
    static napi_value values[MEMBERS];
    check(napi_open_handle_scope(env, &scope));
    if (road == 0) {
      made = built(env, members);
    } else if (road == 1) {
      for (int at = 0; at < members; at++) values[at] = member(env, at);
      check(napi_call_function(env, none, given[3], (size_t)members, values, &made));
    } else {
      values[0] = text(env, json, length);
      check(napi_call_function(env, none, given[3], 1, values, &made));
    }
    check(napi_close_handle_scope(env, scope));
  }
  return none;
}

NAPI_MODULE_INIT() {
  napi_value function;
  check(napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, NULL, &function));
  check(napi_set_named_property(env, exports, "run", function));
  return exports;
}
