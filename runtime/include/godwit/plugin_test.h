#ifndef GODWIT_PLUGIN_TEST_H
#define GODWIT_PLUGIN_TEST_H

#include <godwit/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A server that is none, for testing plugins: loads the real shared object, plays the host's side of <godwit/plugin.h>,
 * feeds it messages and keeps what it says. Time stands still until gw_test_advance moves it; nothing here sleeps or
 * starts a thread, so a test has the same outcome each time. Strings end in 0. One thread uses one gw_test.
 *
 *   gw_test* test = gw_test_new();
 *   gw_test_set_text(test, "greeting", "hello");
 *   if (gw_test_load(test, "hello.so") != GW_OK) … gw_test_error(test) …
 *   const gw_test_verdict* verdict = gw_test_send(test, GW_COMMAND, "hello", "", 0);
 *   assert(verdict->outcome == GW_TEST_REPLIED);
 *   gw_test_free(test);
 */
typedef struct gw_test gw_test;

gw_test* gw_test_new(void);
/* Stops and destroys the instance, and unloads the plugin. */
void gw_test_free(gw_test* test);

/* Values of [plugins.NAME.config], before gw_test_load. */
void gw_test_set_text(gw_test* test, const char* key, const char* value);
void gw_test_set_integer(gw_test* test, const char* key, int64_t value);
void gw_test_set_real(gw_test* test, const char* key, double value);
void gw_test_set_boolean(gw_test* test, const char* key, bool value);

/* Loads the plugin, creates an instance and starts it. Anything but GW_OK: what create answered, or
 * GW_ERROR_PLUGIN_FAILED; gw_test_error says more. */
gw_status gw_test_load(gw_test* test, const char* file);
/* Why the last gw_test_load failed, or empty. Valid until the next. */
const char* gw_test_error(const gw_test* test);

/* What the plugin says of itself, and what it has bound. NULL, or beyond the last pattern: NULL. */
const gw_plugin* gw_test_descriptor(const gw_test* test);
const char* gw_test_pattern(const gw_test* test, size_t index);
/* GW_BIND_… of that pattern. */
uint32_t gw_test_binding_flags(const gw_test* test, size_t index);

enum {
  GW_TEST_NOBODY = 0,   /* no pattern matches */
  GW_TEST_REPLIED = 1,  /* status is GW_OK */
  GW_TEST_FAILED = 2,   /* status and text say how */
  GW_TEST_TAKEN = 3,    /* without a verdict: right for events; a request is then answered NoReply */
  GW_TEST_DEFERRED = 4, /* the verdict comes later: look again */
  GW_TEST_CANCELLED = 5 /* nobody waits for it any more */
};

/* What became of a message. Lives until gw_test_free; a deferred one changes when its verdict comes. */
typedef struct gw_test_verdict {
  uint32_t struct_size;
  int32_t outcome;
  gw_status status;
  uint32_t header_count;
  const char* text;
  const uint8_t* body;
  size_t body_size;
  const gw_header* headers;
} gw_test_verdict;

/* Who sends from here on. Before the first call: session 1, "test-client", "test-user". */
void gw_test_sender(gw_test* test, gw_session session, const char* client_id, const char* uid);
/* A header of the next message. */
void gw_test_header(gw_test* test, const char* name, const char* value);
/* One message, to the pattern that was bound first among those that match. */
const gw_test_verdict* gw_test_send(gw_test* test, int kind, const char* action, const void* body, size_t body_size);

/* The sender of a deferred message waits no longer: the plugin hears it, and the ticket is stale. */
void gw_test_cancel(gw_test* test, const gw_test_verdict* verdict);

/* Who is connected besides the sender: they can be asked about, sent to, and are in groups. What is known of sessions,
 * groups and named values outlives gw_test_reload. */
void gw_test_connect(gw_test* test, gw_session session, const char* client_id, const char* uid);
void gw_test_disconnect(gw_test* test, gw_session session);
/* False also after the plugin has closed it. */
bool gw_test_connected(const gw_test* test, gw_session session);

/* Something that the plugin has sent. Lives until gw_test_free. */
typedef struct gw_test_sent {
  uint32_t struct_size;
  int32_t kind;       /* GW_EVENT, GW_COMMAND or GW_QUERY */
  gw_session session; /* 0: it went to `group`, or to all when that is empty, but `except` */
  gw_session except;
  const char* group;
  const char* action;
  const uint8_t* body;
  size_t body_size;
  bool waits;    /* the plugin waits to hear how it ends */
  int32_t place; /* GW_BEFORE_RESPONSE or GW_AFTER_RESPONSE of an event that is bound to one; 0: it is not */
} gw_test_sent;
/* In the order of sending, from 0; beyond the last: NULL. */
const gw_test_sent* gw_test_sent_at(const gw_test* test, size_t index);
/* It ends so: the plugin hears it now, if it waits. */
void gw_test_answer(gw_test* test, size_t index, gw_status status, const void* body, size_t body_size);

/* Moves time, and runs what is due on the way in its order: timers, posts, and the work of the thread pool. With 0 only
 * what is due now. */
void gw_test_advance(gw_test* test, int64_t ns);

/* Asks a router; what it answers, or `action` when it refuses. Valid until the next call. */
const char* gw_test_route(gw_test* test, int kind, const char* action);
/* Asks an auth plugin; `uid` gets the answer, valid until the next call. Texts may be NULL. */
gw_status gw_test_authenticate(gw_test* test, const char* client_id, const char* uid, const char* token,
                               const char** answer);
/* Answered by gw_test_authenticate when the plugin has put its decision off. */
#define GW_TEST_UNDECIDED (-1)
/* What became of the client that was asked about last: GW_TEST_UNDECIDED, or as gw_test_authenticate. Nobody waits
 * longer than 5 s for it (session.login_timeout); then it is GW_ERROR_UNAUTHENTICATED. */
gw_status gw_test_decision(gw_test* test, const char** answer);
/* Asks a strategy about a body; `out` comes back as the plugin has filled it. */
gw_status gw_test_plan(gw_test* test, const gw_strategy_question* question, gw_strategy_plan* out);

/* Ask a codec, as the server does: with more room until it fits into 1 MiB. `out` gets what came out, valid until the
 * next call. */
gw_status gw_test_decode(gw_test* test, const void* body, size_t body_size, gw_bytes* out);
gw_status gw_test_encode(gw_test* test, const void* body, size_t body_size, gw_bytes* out);

/* What a store was asked, and how that has ended. Lives until gw_test_free; what has not ended yet changes when it
 * does: let gw_test_advance run its work. */
typedef struct gw_test_stored {
  uint32_t struct_size;
  uint32_t ends; /* how often it has ended: 0 not yet, 1 as it should be; what came later was not heard */
  gw_status status;
  uint32_t failed_step;
  uint32_t count; /* of entries or versions */
  const gw_store_entry* entries;
  const uint64_t* versions;
} gw_test_stored;
/* NULL: it is no store. */
const gw_test_stored* gw_test_scan(gw_test* test, const char* prefix, const char* after, uint32_t limit);
const gw_test_stored* gw_test_apply(gw_test* test, const gw_store_step* steps, uint32_t count);

/* Saves the state of the instance and gives it to another one that takes its place, as a reload does. */
gw_status gw_test_reload(gw_test* test);

/* What was logged, from 0; beyond the last: NULL. "level message key=value key=value" */
const char* gw_test_log(const gw_test* test, size_t index);
/* A metric's value; 0 when there is none of that name. */
int64_t gw_test_metric(const gw_test* test, const char* name);

#ifdef __cplusplus
}
#endif

#endif /* GODWIT_PLUGIN_TEST_H */
