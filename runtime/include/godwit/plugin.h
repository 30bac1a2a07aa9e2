#ifndef GODWIT_PLUGIN_H
#define GODWIT_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The plugin interface of godwit, in C11.
 *
 * A plugin is a shared object that exports one constant, `godwit_plugin`. The server reads it from the file before any
 * code of the plugin runs, refuses what does not fit with a text that says why, and then builds one instance per
 * worker. Plugins are trusted code: they run inside the server, and nothing but their own care keeps them from harming
 * it.
 *
 * What holds everywhere, unless a function says otherwise:
 *
 *   Threads    An instance belongs to one worker. All its functions are called on that worker's thread, one at a time,
 *              and it may call the host only from within such a call. Functions marked [any thread] are the exception.
 *              A call from a wrong place has no effect and answers GW_ERROR_WRONG_THREAD.
 *   Blocking   Never: the worker's network waits meanwhile. `threads->work` is for what takes longer than some 100 us.
 *   Ownership  What is passed in, either way, is borrowed until the function returns; who wants to keep it copies it.
 *              Each side frees only what it allocated.
 *   Text       UTF-8 with a length; there is no 0 at the end to rely on.
 *   Time       Nanoseconds. Points in time are on the clock of `core->now`, which never goes back.
 *   Ids        Tickets, sessions and timers are numbers that are never reused for another one. A stale one answers
 *              GW_ERROR_STALE and harms nobody.
 *   Errors     A gw_status: GW_OK, or a number of godwit's registry of errors (`godwit errors` lists them).
 *   Banned     Exceptions and longjmp across this border; signal handlers; locale, umask, working directory.
 *
 * Growth. Within a major version structures only grow at their end, and nothing changes its meaning. Each begins with
 * struct_size, the size that its maker knew; whatever lies beyond it is absent. GW_HAS tells whether a function or
 * member is there. gw_text, gw_bytes, gw_header, gw_value, gw_log_field, gw_store_step
 * and gw_store_entry never grow. Whole tables may be NULL.
 * Build with -fvisibility=hidden and -fno-gnu-unique, or generations that are loaded side by side share statics.
 */

#define GW_ABI_MAJOR 1
#define GW_ABI_MINOR 2

/* True when `pointer` (to a structure of that type) is there and reaches as far as `member`. */
#define GW_REACHES(type, pointer, member) \
  ((pointer) != NULL && (pointer)->struct_size >= offsetof(type, member) + sizeof((pointer)->member))
/* The same for members that are pointers: true when it may be called or followed. */
#define GW_HAS(type, pointer, member) (GW_REACHES(type, pointer, member) && (pointer)->member != NULL)

#ifdef __cplusplus
#define GW_PLUGIN_EXPORT extern "C" __attribute__((visibility("default"), used))
#define GW_TEXT(literal) \
  gw_text { literal, sizeof(literal) - 1 }
extern "C" {
#else
#define GW_PLUGIN_EXPORT __attribute__((visibility("default"), used))
#define GW_TEXT(literal) ((gw_text){literal, sizeof(literal) - 1})
#endif

typedef struct gw_text {
  const char* data; /* may be NULL when size is 0 */
  size_t size;
} gw_text;

typedef struct gw_bytes {
  const uint8_t* data; /* may be NULL when size is 0 */
  size_t size;
} gw_bytes;

typedef struct gw_header {
  gw_text name;
  gw_text value;
} gw_header;

/* The numbers are those of the registry; any other number of it may be given and may come as well. */
typedef int32_t gw_status;
enum {
  GW_OK = 0,
  GW_ERROR_QUEUE_FULL = 2002,
  GW_ERROR_OUT_OF_MEMORY = 2005,
  GW_ERROR_STORE_FULL = 2010,
  GW_ERROR_STORE_BUSY = 2011,
  GW_ERROR_STORE_FAILED = 2012,
  GW_ERROR_STORE_DAMAGED = 2013,
  GW_ERROR_HANDLER_NOT_FOUND = 4001,
  GW_ERROR_HANDLER_FAILED = 4002,
  GW_ERROR_DEADLINE_EXCEEDED = 4003,
  GW_ERROR_MESSAGE_TOO_LARGE = 4004,
  GW_ERROR_CANCELLED = 4006,
  GW_ERROR_HEADERS_INVALID = 4009,
  GW_ERROR_REPLY_NOT_EXPECTED = 4011,
  GW_ERROR_BODY_INVALID = 4019,
  GW_ERROR_PATTERN_INVALID = 5006,
  GW_ERROR_STALE = 5007,
  GW_ERROR_VALUE_WRONG = 5008,
  GW_ERROR_WRONG_THREAD = 5105,
  GW_ERROR_NOT_SUPPORTED = 5106,
  GW_ERROR_PLUGIN_FAILED = 5107,
  GW_ERROR_NOT_FOUND = 5108,
  GW_ERROR_ARGUMENT_INVALID = 5109,
  GW_ERROR_NOT_NOW = 5110,
  GW_ERROR_LIMIT = 5111,
  GW_ERROR_UNAUTHENTICATED = 6001,
  GW_ERROR_FORBIDDEN = 6002
};

#define GW_NEVER INT64_MAX

typedef uint64_t gw_ticket;  /* one message that waits for its verdict; 0: none */
typedef uint64_t gw_session; /* one session of this server; 0: none */
typedef uint64_t gw_timer;   /* one timer of an instance; 0: none */
typedef uint64_t gw_login;   /* one client that asks to be let in; 0: none */

enum { GW_COMMAND = 0, GW_EVENT = 1, GW_QUERY = 2, GW_RESPONSE = 3 };                                 /* kinds */
enum { GW_PRIORITY_NORMAL = 0, GW_PRIORITY_LOW = 1, GW_PRIORITY_HIGH = 2, GW_PRIORITY_CRITICAL = 3 }; /* priorities */

/* --- what comes in ------------------------------------------------------------------------------------------------ */

/* One message for a handler. Valid, with all it points to, until on_message returns. */
typedef struct gw_message {
  uint32_t struct_size;
  uint32_t handler; /* what handlers->bind gave for the pattern that matched */
  uint8_t kind;     /* GW_COMMAND, GW_EVENT or GW_QUERY; events take no reply */
  uint8_t priority;
  uint16_t reserved;
  uint32_t header_count;
  gw_ticket ticket;
  uint64_t id;         /* of the message, for logs */
  int64_t deadline_ns; /* when the sender stops waiting; GW_NEVER */
  gw_text action;
  gw_bytes body;
  const gw_header* headers;
  gw_session session; /* who sent it */
  gw_text client_id;
  gw_text uid;
  gw_text address;
} gw_message;

/* How something that was sent has ended. Valid until the function that hears it returns. */
typedef struct gw_reply {
  uint32_t struct_size;
  gw_status status; /* GW_OK: success */
  gw_text text;     /* on failure: for a person */
  gw_bytes body;
  const gw_header* headers;
  uint32_t header_count;
} gw_reply;

typedef struct gw_host gw_host;

/* --- the host's tables -------------------------------------------------------------------------------------------- */

enum { GW_LOG_TRACE = 0, GW_LOG_DEBUG = 1, GW_LOG_INFO = 2, GW_LOG_WARN = 3, GW_LOG_ERROR = 4 };

typedef struct gw_log_field {
  gw_text key;
  gw_text value;
} gw_log_field;

typedef struct gw_core_table {
  uint32_t struct_size;
  /* [any thread] One record; the host adds the plugin's name and generation, escapes what cannot be printed, and limits
   * a line to 1 KiB. At most 16 fields are kept. */
  void (*log)(const gw_host* host, int level, gw_text message, const gw_log_field* fields, size_t field_count);
  /* [any thread] False: a record of this level would go nowhere. */
  bool (*log_enabled)(const gw_host* host, int level);
  /* The time of this turn of the worker's loop. 0 from a wrong thread. */
  int64_t (*now)(const gw_host* host);
  /* Wall time for people, in microseconds since 1970; it may jump. 0 from a wrong thread. */
  int64_t (*unix_us)(const gw_host* host);
} gw_core_table;

enum { GW_VALUE_TEXT = 1, GW_VALUE_INTEGER = 2, GW_VALUE_REAL = 3, GW_VALUE_BOOLEAN = 4 };

typedef struct gw_value {
  int32_t type; /* says which of the others is meant */
  int32_t boolean;
  int64_t integer;
  double real;
  gw_text text;
} gw_value;

/* What stands in [plugins.NAME.config]. Keys of tables within are joined by dots, elements of lists are numbered from
 * 0: "limits.per_second", "names.0". Texts that are handed out live as long as the instance. */
typedef struct gw_config_table {
  uint32_t struct_size;
  /* GW_ERROR_NOT_FOUND: no such key. */
  gw_status (*get)(const gw_host* host, gw_text key, gw_value* out);
  /* A text such as "250ms", as nanoseconds. GW_ERROR_NOT_FOUND, or GW_ERROR_ARGUMENT_INVALID when it is no duration. */
  gw_status (*duration_ns)(const gw_host* host, gw_text key, int64_t* out);
  /* A text such as "64KiB", as bytes. The same errors. */
  gw_status (*size_bytes)(const gw_host* host, gw_text key, uint64_t* out);
  size_t (*count)(const gw_host* host);
  /* In the order of the keys' names; index < count, or GW_ERROR_NOT_FOUND. For plugins that refuse unknown keys. */
  gw_status (*at)(const gw_host* host, size_t index, gw_text* key, gw_value* out);
} gw_config_table;

enum {
  /* Commands with the header idempotency-key are executed once for each key: whoever sends one again hears the outcome
   * of the first, for as long as operations.ttl. What broke off (the server died, a generation ended) may have had
   * effects: it is answered OperationUnknown and never runs again. */
  GW_BIND_IDEMPOTENT = 1,
  /* Together with it: what broke off is executed again when it is asked for again. */
  GW_BIND_AGAIN = 2
};

/* Since minor version 2. */
typedef struct gw_binding {
  uint32_t struct_size;
  uint32_t flags; /* GW_BIND_… */
  gw_text pattern;
} gw_binding;

typedef struct gw_handlers_table {
  uint32_t struct_size;
  /* Binds a pattern ("chat.*", "query/time", "**") to on_message; `handler` is what messages will carry. Only while
   * `create` runs (GW_ERROR_NOT_NOW), at most 1,024 (GW_ERROR_LIMIT). The same on every worker. */
  gw_status (*bind)(const gw_host* host, gw_text pattern, uint32_t* handler);
  /* Since minor version 2. The same, with more to say. GW_ERROR_ARGUMENT_INVALID: flags that are not known here, or
   * GW_BIND_AGAIN alone. */
  gw_status (*bind_with)(const gw_host* host, const gw_binding* binding, uint32_t* handler);
} gw_handlers_table;

/* What is sent to a client. Copied by the call. */
typedef struct gw_outgoing {
  uint32_t struct_size;
  uint8_t kind;     /* of requests: GW_COMMAND or GW_QUERY */
  uint8_t priority; /* GW_PRIORITY_… */
  bool unordered;   /* need not wait for what was sent before it */
  uint8_t reserved;
  int64_t timeout_ns; /* of requests: how long a reply is waited for; 0: the session's default */
  int64_t ttl_ns;     /* not worth handling after so long; 0: always worth it */
  gw_text action;
  gw_bytes body;
  const gw_header* headers;
  uint32_t header_count;
} gw_outgoing;

enum { GW_DEFER_UNORDERED = 1 };
enum { GW_BEFORE_RESPONSE = 1, GW_AFTER_RESPONSE = 2 };

/* Verdicts. Each message gets one; the second is GW_ERROR_STALE. */
typedef struct gw_messages_table {
  uint32_t struct_size;
  /* Copies. GW_ERROR_REPLY_NOT_EXPECTED of an event; GW_ERROR_MESSAGE_TOO_LARGE leaves the message without a verdict.
   */
  gw_status (*reply)(const gw_host* host, gw_ticket ticket, gw_bytes body, const gw_header* headers,
                     uint32_t header_count);
  /* The sender hears the code and, at most 1 KiB of it, the text. `status` is not GW_OK. */
  gw_status (*fail)(const gw_host* host, gw_ticket ticket, gw_status status, gw_text text);
  /* While on_message runs for it: the verdict comes later, by reply or fail from any call into this instance. Other
   * threads come back by threads->post first. Later messages of the same session wait for it, unless `flags` has
   * GW_DEFER_UNORDERED. Keeps the generation loaded until the verdict, at most until the message's deadline or
   * scripts.handler_timeout; then the sender hears DeadlineExceeded. At most plugins.pending_max at one time
   * (GW_ERROR_LIMIT). */
  gw_status (*defer)(const gw_host* host, gw_ticket ticket, uint32_t flags);
  /* Since minor version 2. An event for the sender of a command or query, which it handles right before or after the
   * response, whatever that will be; when the response comes after the message's deadline it is dropped. After the
   * verdict, while on_message runs, GW_AFTER_RESPONSE sends it at once; otherwise GW_ERROR_STALE.
   * GW_ERROR_QUEUE_FULL: too much is bound to responses of this session. */
  gw_status (*notify)(const gw_host* host, gw_ticket ticket, int place, const gw_outgoing* event);
} gw_messages_table;

/* Hears once how something ended: on the instance's worker, never from within the call that began it. */
typedef void (*gw_on_reply)(void* self, void* argument, const gw_reply* reply);

typedef struct gw_session_info {
  uint32_t struct_size; /* filled by the caller: as much as fits is told */
  uint32_t worker;
  gw_session session;
  int64_t connected_unix_us;
  gw_text client_id; /* the texts live until the next call of `info` by this instance, or until its call ends */
  gw_text uid;
  gw_text address;
} gw_session_info;

/* Sessions are those of the whole process, on any worker; one that is gone answers GW_ERROR_STALE. What has effects is
 * GW_ERROR_NOT_NOW while `create`, `save` or `restore` runs: the instance may never go live. */
typedef struct gw_sessions_table {
  uint32_t struct_size;
  /* As it was a moment ago. */
  gw_status (*info)(const gw_host* host, gw_session session, gw_session_info* out);
  /* An event. `done` may be NULL; otherwise it hears that the client has it, or why not. It is called exactly once when
   * this has answered GW_OK, with GW_ERROR_CANCELLED when the instance ends first, and never otherwise; until then it
   * keeps the generation loaded. At most 10,000 at one time (GW_ERROR_LIMIT). */
  gw_status (*send)(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done,
                    void* argument);
  /* A command or query; `done`, which must be there, hears the reply. The same holds as for send. */
  gw_status (*request)(const gw_host* host, gw_session session, const gw_outgoing* message, gw_on_reply done,
                       void* argument);
  /* In good order: what is queued for the client goes first. It hears the status and, at most 1 KiB of it, the text. */
  gw_status (*close)(const gw_host* host, gw_session session, gw_status status, gw_text text);
  /* Attributes: at most 64 of a session, names of 256 bytes, values of 16 KiB; gone with the session. The value that is
   * handed out lives until the next call of this function or until the instance's call ends. Scripts see the same
   * ones; a number or truth value of theirs comes as text. GW_ERROR_NOT_FOUND: there is none of that name. */
  gw_status (*attribute)(const gw_host* host, gw_session session, gw_text name, gw_bytes* out);
  /* `ttl_ns` 0: as long as the session. */
  gw_status (*set_attribute)(const gw_host* host, gw_session session, gw_text name, gw_bytes value, int64_t ttl_ns);
  gw_status (*remove_attribute)(const gw_host* host, gw_session session, gw_text name);
} gw_sessions_table;

/* The groups that scripts see as well: made by the first that joins, gone with the last that leaves. Names have 1 to
 * 256 bytes. What has effects is GW_ERROR_NOT_NOW while `create`, `save` or `restore` runs. */
typedef struct gw_groups_table {
  uint32_t struct_size;
  gw_status (*join)(const gw_host* host, gw_session session, gw_text group);
  gw_status (*leave)(const gw_host* host, gw_session session, gw_text group);
  /* How many are in it; 0 from a wrong thread. */
  size_t (*size)(const gw_host* host, gw_text group);
  /* An event to all members, or to all sessions when `group` is empty, but `except` (0: but nobody). */
  gw_status (*publish)(const gw_host* host, gw_text group, gw_session except, const gw_outgoing* message);
} gw_groups_table;

typedef struct gw_timers_table {
  uint32_t struct_size;
  /* Calls `fire(self, argument)` after `first_ns`, then every `every_ns`; 0: once. At most 1,024 at one time
   * (GW_ERROR_LIMIT). Timers end when another generation takes over. Not while `create` runs (GW_ERROR_NOT_NOW). */
  gw_status (*start)(const gw_host* host, int64_t first_ns, int64_t every_ns, void (*fire)(void* self, void* argument),
                     void* argument, gw_timer* out);
  /* GW_ERROR_STALE: it fired, or was stopped already. */
  gw_status (*stop)(const gw_host* host, gw_timer timer);
} gw_timers_table;

typedef struct gw_threads_table {
  uint32_t struct_size;
  /* [any thread] Calls `run(self, argument)` on the instance's worker, soon, in the order of the posts of one thread.
   * GW_ERROR_QUEUE_FULL: it will not be called. May be called until `stop` has returned. */
  gw_status (*post)(const gw_host* host, void (*run)(void* self, void* argument), void* argument);
  /* Calls `work(argument)` on a thread of the server's pool, where blocking is allowed, and `after(self, argument)` on
   * the instance's worker when it is through. Both are called, or neither (GW_ERROR_QUEUE_FULL). Keeps the generation
   * loaded; at the end of the server `after` may be left out. `work` touches nothing of the instance. */
  gw_status (*work)(const gw_host* host, void (*work)(void* argument), void (*after)(void* self, void* argument),
                    void* argument);
} gw_threads_table;

enum { GW_METRIC_COUNTER = 1, GW_METRIC_GAUGE = 2 };

typedef struct gw_metrics_table {
  uint32_t struct_size;
  /* Only while `create` runs, at most 64. `name` is of a-z, 0-9 and _, a letter first; it appears at /metrics as
   * godwit_plugin_NAME with the label `plugin`, the sum of all workers. The next generation goes on with what was
   * counted. GW_ERROR_ARGUMENT_INVALID also when another plugin has a metric of this name and another type. */
  gw_status (*declare)(const gw_host* host, int type, gw_text name, gw_text help, uint32_t* metric);
  /* [any thread] Counters only grow. */
  void (*add)(const gw_host* host, uint32_t metric, int64_t amount);
  /* [any thread] Gauges. */
  void (*set)(const gw_host* host, uint32_t metric, int64_t value);
} gw_metrics_table;

/* Named values that all workers of this server share, each plugin its own; they survive reloads, not the process. Keys
 * have 1 to 512 bytes, values at most 1 MiB; GW_ERROR_STORE_FULL at kv.entries_max and kv.bytes_max. Each call is one
 * atomic step. Writes are GW_ERROR_NOT_NOW while `create`, `save` or `restore` runs. */
typedef struct gw_kv_table {
  uint32_t struct_size;
  /* GW_ERROR_NOT_FOUND: no such key. The version is another one after each write, never 0. The value lives until the
   * next call of this function or until the instance's call ends. `version` may be NULL. */
  gw_status (*get)(const gw_host* host, gw_text key, gw_bytes* value, uint64_t* version);
  /* `ttl_ns` 0: for ever. */
  gw_status (*put)(const gw_host* host, gw_text key, gw_bytes value, int64_t ttl_ns);
  /* Only when the version is still this one, 0 standing for absent; otherwise GW_ERROR_STALE. */
  gw_status (*compare_and_put)(const gw_host* host, gw_text key, uint64_t version, gw_bytes value, int64_t ttl_ns);
  /* A key that is not there begins at 0, and has the ttl from then on. `sum` may be NULL. Exact up to 2^53. What was
   * put as bytes is no number: GW_ERROR_VALUE_WRONG. */
  gw_status (*add)(const gw_host* host, gw_text key, int64_t amount, int64_t ttl_ns, int64_t* sum);
  /* GW_ERROR_NOT_FOUND: there was nothing to remove. */
  gw_status (*remove)(const gw_host* host, gw_text key);
} gw_kv_table;

typedef struct gw_state_table {
  uint32_t struct_size;
  /* Only while `save` runs: appends to what the next generation gets. 1 MiB in all (GW_ERROR_LIMIT). */
  gw_status (*write)(const gw_host* host, gw_bytes bytes);
} gw_state_table;

/* Since minor version 1. Decisions about clients that come later than `authenticate` returns. The time for them is
 * session.login_timeout from the end of the handshake; then the client is refused, and the login is stale. */
typedef struct gw_logins_table {
  uint32_t struct_size;
  /* While authenticate runs for it: the decision comes later, by admit or refuse from any call into this instance;
   * other threads come back by threads->post first. What authenticate returns then counts only when it is a failure and
   * nothing was decided. Keeps the generation loaded. At most 10,000 at one time (GW_ERROR_LIMIT); GW_ERROR_STALE: it
   * is not the client that is being asked about. */
  gw_status (*defer)(const gw_host* host, gw_login login);
  /* Once for each. `uid` has 1 to 128 bytes of printable text (GW_ERROR_ARGUMENT_INVALID; then it is still to be
   * decided). GW_ERROR_STALE: it was decided, or its time is over. That a client has gone meanwhile is no error. */
  gw_status (*admit)(const gw_host* host, gw_login login, gw_text uid);
  /* `status` as authenticate might have returned it, GW_ERROR_NOT_FOUND included; not GW_OK. */
  gw_status (*refuse)(const gw_host* host, gw_login login, gw_status status);
} gw_logins_table;

/* What an instance knows of its server. Lives as long as the instance. A table that is NULL does not exist in this
 * server: this version offers all of them. */
struct gw_host {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t worker;       /* 0 … worker_count - 1 */
  uint32_t worker_count; /* instances of this generation */
  uint32_t generation;   /* 1 for the first version that was loaded */
  uint32_t reserved;
  gw_text server_version;
  const gw_core_table* core; /* never NULL, as are config, handlers and messages */
  const gw_config_table* config;
  const gw_handlers_table* handlers;
  const gw_messages_table* messages;
  const gw_sessions_table* sessions;
  const gw_groups_table* groups;
  const gw_timers_table* timers;
  const gw_threads_table* threads;
  const gw_metrics_table* metrics;
  const gw_kv_table* kv;
  const gw_state_table* state;
  const gw_logins_table* logins; /* since minor version 1 */
};

/* --- kinds: what a plugin may be ---------------------------------------------------------------------------------- */

enum {
  GW_KIND_HANDLER = 1,  /* answers messages */
  GW_KIND_ROUTER = 2,   /* decides under which action a message is looked up */
  GW_KIND_STRATEGY = 4, /* plans how bodies travel */
  GW_KIND_AUTH = 8,     /* decides who may come in, where auth.mode is "plugin" */
  GW_KIND_CODEC = 16,   /* translates bodies between clients and handlers; asked since minor version 2 */
  GW_KIND_STORE = 32    /* keeps the server's state, where store.engine is "plugin"; asked since minor version 2 */
};

typedef struct gw_handler_kind {
  uint32_t struct_size;
  /* GW_OK: done; a request without a verdict that was not deferred is then answered NoReply. Anything else is the
   * failure that the sender hears, unless a verdict was given before. */
  gw_status (*on_message)(void* self, const gw_message* message);
  /* Since minor version 2. The sender of a deferred request waits no longer: nothing is answered, and the ticket is
   * stale from here on. May be NULL. */
  void (*on_cancel)(void* self, gw_ticket ticket);
} gw_handler_kind;

typedef struct gw_route_request {
  uint32_t struct_size;
  uint8_t kind;
  uint8_t reserved[3];
  gw_text action;
} gw_route_request;

typedef struct gw_route_decision {
  uint32_t struct_size; /* filled by the host */
  uint32_t reserved;
  gw_text action; /* under which the handler is looked up; the message keeps its own. Lives until the next call */
} gw_route_decision;

typedef struct gw_router_kind {
  uint32_t struct_size;
  /* GW_OK: `out` holds the action to look up (it comes in as the message's own). Anything else: the message keeps its
   * action, and the failure is counted. Pure: the same question has the same answer for as long as the generation
   * lives, so that answers may be remembered. */
  gw_status (*route)(void* self, const gw_route_request* request, gw_route_decision* out);
} gw_router_kind;

enum { GW_SIZE_TINY = 0, GW_SIZE_SMALL = 1, GW_SIZE_MEDIUM = 2, GW_SIZE_LARGE = 3, GW_SIZE_HUGE = 4 };
#define GW_SIZE_UNKNOWN UINT64_MAX

typedef struct gw_strategy_question {
  uint32_t struct_size;
  uint32_t memory_level; /* 0 plenty … 3 nearly none left */
  uint64_t body_bytes;   /* or GW_SIZE_UNKNOWN */
  int64_t rtt_ns;        /* smoothed; 0: not known yet */
  double loss;           /* share of packets lost of late, 0 … 1 */
  gw_bytes sample;       /* the first bytes, at most 4 KiB; empty: the plan is for all bodies of these sizes */
  gw_text action;        /* empty: the same */
  /* Since minor version 1. The plan is for all bodies from body_bytes up to here, which are of one class. */
  uint64_t body_bytes_max;
} gw_strategy_question;

typedef struct gw_strategy_plan {
  uint32_t struct_size; /* filled by the host, as are the defaults of all others */
  uint32_t size_class;  /* GW_SIZE_… */
  uint64_t buffer_bytes;
  uint64_t chunk_bytes;
  int64_t timeout_ns;
  uint32_t retries;
  uint32_t streams; /* that share one body; 1 or more */
  bool own_stream;  /* apart from the small messages */
  bool compress;
  uint8_t reserved[6];
} gw_strategy_plan;

typedef struct gw_strategy_kind {
  uint32_t struct_size;
  /* GW_OK: `out` was changed to the plan. GW_ERROR_NOT_FOUND: the default is used. Anything else, or a plan that makes
   * no sense (an unknown class; 64 KiB and more without own_stream; no buffer, more than 64 MiB of it, or one smaller
   * than a chunk; no timeout, or one of more than a day; more than 100 retries; no stream, or more than 64): the
   * failure is counted, and until the next generation the default plans instead. Pure, as route is: asked about every
   * size class and kind of path when the generation goes live, and its answers are kept. */
  gw_status (*plan)(void* self, const gw_strategy_question* question, gw_strategy_plan* out);
  /* Since minor version 1. The bodies it plans for, both ends included; bytes_max 0: no end. Of several strategies the
   * one with the narrowest range plans. */
  uint64_t bytes_min;
  uint64_t bytes_max;
} gw_strategy_kind;

/* What a client shows when it greets. */
typedef struct gw_credentials {
  uint32_t struct_size;
  uint32_t reserved;
  gw_text client_id; /* who it says it is: 1 to 128 bytes of printable text */
  gw_text uid;       /* whom it says it belongs to; may be empty */
  gw_text token;     /* at most 4 KiB */
  gw_text agent;
  gw_text certificate_name; /* of its verified certificate; empty: none */
  /* Since minor version 1. */
  gw_login login;  /* for logins->defer */
  gw_text address; /* where it comes from */
} gw_credentials;

typedef struct gw_identity {
  uint32_t struct_size; /* filled by the host */
  uint32_t reserved;
  gw_text uid; /* 1 to 128 bytes of printable text; lives until the next call */
} gw_identity;

typedef struct gw_auth_kind {
  uint32_t struct_size;
  /* GW_OK: the client is `out->uid`. GW_ERROR_NOT_FOUND: not known here, ask the next plugin. Anything else: refused.
   * When no plugin knows it, or none is loaded, the client is refused. Who has to ask others first calls logins->defer.
   */
  gw_status (*authenticate)(void* self, const gw_credentials* credentials, gw_identity* out);
} gw_auth_kind;

/* A message whose header content-type is `content_type` (compared without its parameters and case) is decoded before
 * anybody on the server sees it: handlers, gw.authorize and idempotency keys have the decoded body, under the content-
 * type `handler_type`. The body of a successful reply is encoded on its way back, unless it says another content-type
 * than `handler_type`; it then says `content_type`. What handlers send without being asked is not translated. */
typedef struct gw_codec_kind {
  uint32_t struct_size;
  uint32_t reserved;
  char content_type[64]; /* lower case: "application/msgpack" */
  /* Writes at most `capacity` bytes to `out` and how many to `size`; GW_ERROR_MESSAGE_TOO_LARGE: they do not fit, and
   * it is called again with more room, up to message.inline_max. Pure. Bytes come from peers: anything may stand in
   * them. Of another failure of decode the sender hears GW_ERROR_BODY_INVALID, and the handler nothing; one of encode
   * is an error of the handler or the plugin, counted and logged, and the sender hears GW_ERROR_PLUGIN_FAILED. */
  gw_status (*encode)(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size);
  gw_status (*decode)(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size);
  /* Since minor version 2. What handlers see as content-type: "application/json". Empty: they see none. */
  char handler_type[64];
} gw_codec_kind;

typedef void (*gw_store_done)(void* operation, gw_status status, gw_bytes value, uint64_t version);

/* Since minor version 2. One entry, borrowed. */
typedef struct gw_store_entry {
  gw_text key;
  gw_bytes value;
  uint64_t version; /* another one after each write of the key, higher than any before; never 0 */
  int64_t left_ns;  /* of its ttl; GW_NEVER: it stays */
} gw_store_entry;

enum {
  GW_STORE_PUT = 0,
  GW_STORE_APPEND = 1, /* to what is there, or to nothing */
  GW_STORE_REMOVE = 2,
  GW_STORE_EXPECT = 3 /* changes nothing: the batch depends on the version */
};
#define GW_STORE_ANY_VERSION UINT64_MAX

/* Since minor version 2. What a batch does to one key. */
typedef struct gw_store_step {
  gw_text key;
  gw_bytes value;   /* of put and append */
  int64_t ttl_ns;   /* of put and append, counted anew; 0: it stays */
  uint64_t version; /* the batch holds only if the key has it; 0: it is absent; GW_STORE_ANY_VERSION: whatever it has */
  uint32_t what;    /* GW_STORE_… */
  uint32_t reserved;
} gw_store_step;

/* End an operation: once, on the instance's worker, before the function that began it returns or from any later call
 * into the instance. A second end, or one from elsewhere, is not heard. Copy what they are given. */
typedef void (*gw_store_found)(void* operation, gw_status status, const gw_store_entry* entries, uint32_t count);
/* GW_OK: all steps are done, as durable as the plugin makes them; `versions` has one for each step's key, 0 where it is
 * absent now. GW_ERROR_STALE: `failed_step` met another version, and nothing was changed. */
typedef void (*gw_store_applied)(void* operation, gw_status status, uint32_t failed_step, const uint64_t* versions);

/* Keys have 1 to 1,024 bytes, values those of the largest message. All workers' instances, and all generations that are
 * loaded side by side, see the same entries. scan and apply answer GW_OK when the operation will end by `done`;
 * anything else is the end, and `done` is not called. An operation that has not ended keeps the generation loaded, at
 * most for scripts.drain_timeout after another took its place; then it has failed. */
typedef struct gw_store_kind {
  uint32_t struct_size;
  /* Of minor versions 0 and 1, which asked nobody: NULL. */
  gw_status (*get)(void* self, gw_text key, gw_store_done done, void* operation);
  gw_status (*put)(void* self, gw_text key, gw_bytes value, uint64_t version, int64_t ttl_ns, gw_store_done done,
                   void* operation);
  gw_status (*remove)(void* self, gw_text key, uint64_t version, gw_store_done done, void* operation);
  /* Since minor version 2; both must be there. */
  /* The entries whose keys begin with `prefix`, in the order of the keys' bytes, from beyond `after` on, at most
   * `limit` (1 to 1,000). */
  gw_status (*scan)(void* self, gw_text prefix, gw_text after, uint32_t limit, gw_store_found done, void* operation);
  /* All steps (1 to 10,000) or none, and nobody sees it half done. Steps of one batch see those before them. */
  gw_status (*apply)(void* self, const gw_store_step* steps, uint32_t count, gw_store_applied done, void* operation);
} gw_store_kind;

/* --- the plugin --------------------------------------------------------------------------------------------------- */

/* The life of an instance: create, restore (where there is something to restore), start, work, stop, destroy. Of these
 * only create must be there. `self` is what create gave. */
typedef struct gw_instance_table {
  uint32_t struct_size;
  /* Makes an instance for one worker, binds its patterns and declares its metrics. Without effect on the world: it may
   * never go live. After a failure nothing is left and no other function is called. */
  gw_status (*create)(const gw_host* host, void** self);
  /* From here on messages come. Called again when the instance goes back into service after another generation had
   * taken its place, which has stopped its timers. */
  void (*start)(void* self);
  /* No message comes any more. Threads of the plugin's own end here. Timers have been stopped. */
  void (*stop)(void* self);
  void (*destroy)(void* self);
  /* Hands over to the next generation by state->write; the instance may have to go on all the same. */
  gw_status (*save)(void* self);
  /* What the generation before has saved, and its version text. Refusing keeps the generation before. */
  gw_status (*restore)(void* self, gw_bytes state, gw_text version);
} gw_instance_table;

enum {
  /* The code may be unmapped once its last instance is gone: it leaves no threads, no thread-local destructors, no
   * callbacks in other libraries behind. Happens only where plugins.NAME.unload is "drained". */
  GW_FLAG_CAN_UNLOAD = 1
};

#define GW_PLUGIN_MAGIC UINT64_C(0x4C50544957444F47) /* "GODWITPL" in memory */

/* The place of the members up to abi_minor is the same in all versions, so that any host can say what it refuses. The
 * texts are part of the structure, so that it can be read from the file without running it; each ends in 0. */
typedef struct gw_plugin {
  uint64_t magic;
  uint32_t struct_size;
  uint16_t abi_major; /* of the header the plugin was compiled with */
  uint16_t abi_minor;
  uint16_t host_minor_min; /* what it cannot do without; 0 when it looks with GW_HAS */
  uint16_t reserved;
  uint32_t kinds;         /* GW_KIND_… */
  uint32_t flags;         /* GW_FLAG_… */
  uint32_t instance_size; /* of the tables and of what is passed, as the plugin's header has them: for diagnosis */
  uint32_t host_size;
  uint32_t message_size;
  char name[64]; /* 1 to 63 letters, digits, _ and - */
  char version[32];
  char license[32];
  char author[64];
  char description[192];
  const gw_instance_table* instance;
  const gw_handler_kind* handler; /* those of `kinds` */
  const gw_router_kind* router;
  const gw_strategy_kind* strategy;
  const gw_auth_kind* auth;
  const gw_codec_kind* codec;
  const gw_store_kind* store;
} gw_plugin;

/* What begins the descriptor:
 *   GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {GW_PLUGIN_HEAD, .kinds = GW_KIND_HANDLER, .name = "echo", …};
 * Other members come after it, in the order of the structure. */
#define GW_PLUGIN_HEAD \
  .magic = GW_PLUGIN_MAGIC, .struct_size = sizeof(gw_plugin), .abi_major = GW_ABI_MAJOR, .abi_minor = GW_ABI_MINOR
#define GW_PLUGIN_SIZES \
  .instance_size = sizeof(gw_instance_table), .host_size = sizeof(gw_host), .message_size = sizeof(gw_message)

#define GW_PLUGIN_SYMBOL "godwit_plugin"

#ifdef __cplusplus
}
#endif

#endif /* GODWIT_PLUGIN_H */
