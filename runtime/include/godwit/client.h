#ifndef GODWIT_CLIENT_H
#define GODWIT_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GW_CLIENT_API __attribute__((visibility("default")))
#else
#define GW_CLIENT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The client library of godwit for C (C11 and later).
 *
 * Every call ends in exactly one reply, within its timeout: the server's answer, or a code that says what is known.
 *
 * Structures that the caller fills begin with struct_size, which tells an older library from a newer program and the
 * other way round: always use the _INIT macros. Members that stay 0 or NULL have their defaults. Strings are UTF-8 and
 * end in 0. What is handed in is copied before the function returns; what is handed out is borrowed for as long as its
 * description says.
 */

/* A session with one server, on a thread of its own. All functions may be called from any thread. */
typedef struct gw_client gw_client;

typedef struct gw_client_header {
  const char* name;
  const char* value;
} gw_client_header;

typedef enum gw_client_kind { GW_CLIENT_COMMAND = 0, GW_CLIENT_QUERY = 1, GW_CLIENT_EVENT = 2 } gw_client_kind;

/* What the server sends by itself. Valid during the call that hands it out. */
typedef struct gw_client_message {
  gw_client_kind kind;
  const char* action;
  const void* body; /* body_bytes bytes; followed by a 0 that does not count */
  size_t body_bytes;
  const gw_client_header* headers;
  size_t header_count;
} gw_client_message;

/* What the server is told of a message; an empty success unless one of these functions says otherwise. */
typedef struct gw_client_answer gw_client_answer;

/*
 * Handles what the server sends, on the client's thread. `answer` may be used during the call: commands and queries are
 * answered by it, and an event is acknowledged, or refused with its failure. Must not block.
 */
typedef void (*gw_client_on_message)(void* user, const gw_client_message* message, gw_client_answer* answer);

/* What happens to the connection and the session. */
typedef enum gw_client_event_kind {
  GW_CLIENT_CONNECTING = 0,   /* it tries, or tries again; `code` says why, where the last try failed */
  GW_CLIENT_CONNECTED = 1,    /* the server has let this client in */
  GW_CLIENT_RESUMED = 2,      /* ... and has its session: nothing was lost; comes before CONNECTED */
  GW_CLIENT_SESSION_LOST = 3, /* ... with a new session: what was not acknowledged failed with SessionLost (1014) */
  GW_CLIENT_DRAINING = 4,     /* the server is going to close */
  GW_CLIENT_DISCONNECTED = 5, /* nothing is tried any more until the next call; `code` says why */
  GW_CLIENT_CLOSED = 6,       /* by this client */
  /* Nothing was heard of the server for too long; CONNECTING or DISCONNECTED follows. */
  GW_CLIENT_HEARTBEAT_TIMEOUT = 7,
  GW_CLIENT_PROMISE_TIMEOUT = 8, /* a call got no answer in time */
  GW_CLIENT_SENT = 9,            /* where message_events is set: a call was sent, or with a code: it was refused here */
  GW_CLIENT_RECEIVED = 10        /* the same: a message of the server came */
} gw_client_event_kind;

/* Valid during the call that hands it out. */
typedef struct gw_client_event {
  gw_client_event_kind kind;
  uint16_t code;       /* 0, or one of `godwit errors` */
  const char* name;    /* of the code; "" for 0 */
  const char* text;    /* for a person; may be "" */
  uint64_t reconnects; /* connections made after one was lost */
  const char* action;  /* of the message that it is about; "" */
} gw_client_event;

/* On the client's thread. Must not block. */
typedef void (*gw_client_on_event)(void* user, const gw_client_event* event);

typedef struct gw_client_options {
  size_t struct_size;
  const char* address;          /* HOST:PORT, IPv6 as [HOST]:PORT; required */
  const char* client_id;        /* who this client says it is; NULL: a random name */
  const char* uid;              /* the user it belongs to; NULL: none */
  const char* token;            /* proof of that; NULL: none */
  const char* ca_file;          /* PEM; whom to trust; NULL: the system's list */
  const char* certificate_file; /* PEM chain of this client, where the server asks for one; NULL: none */
  const char* key_file;         /* PEM key that belongs to it */
  int insecure;                 /* not 0: believe any server; for a test server of one's own only */
  uint32_t connect_timeout_ms;  /* 0: 5,000 */
  uint32_t request_timeout_ms;  /* 0: 30,000; of calls that name none */
  uint32_t linger_ms;           /* 0: 1,000; how long closing waits for calls under way */
  uint32_t pending_max;         /* 0: 10,000 calls without a reply; further ones fail at once with QueueFull (2002) */
  gw_client_on_message on_message; /* NULL: the server is told HandlerNotFound (4001) */
  void* on_message_user;
  /* Not 0: calls fail when the connection is lost, and the next one connects again. 0: it connects again by itself
     (after 1 s, then twice as long each time, up to 60 s, +- 20 %, or when the server says), and goes on with the
     session where the server still has it; calls wait meanwhile for as long as their timeouts. */
  int no_reconnect;
  gw_client_on_event on_event; /* NULL: nobody hears of it */
  void* on_event_user;
  /* Not 0: the client makes no thread. The program's own loop polls gw_client_event_fd and calls gw_client_process, in
     which everything happens, all callbacks included: "the client's thread" is then the program's. */
  int no_thread;
  int message_events; /* not 0: on_event hears of each message as well */
} gw_client_options;

#define GW_CLIENT_OPTIONS_INIT                                                                                        \
  {                                                                                                                   \
    sizeof(gw_client_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL, NULL, 0, \
        0                                                                                                             \
  }

typedef enum gw_client_priority {
  GW_CLIENT_PRIORITY_NORMAL = 0,
  GW_CLIENT_PRIORITY_LOW = 1,
  GW_CLIENT_PRIORITY_HIGH = 2,
  GW_CLIENT_PRIORITY_CRITICAL = 3
} gw_client_priority;

typedef struct gw_client_call {
  size_t struct_size;
  uint32_t timeout_ms; /* from the call to its reply, connecting included; 0: request_timeout_ms */
  uint32_t ttl_ms;     /* not worth handling after so long; 0: always worth it */
  const gw_client_header* headers;
  size_t header_count;
  gw_client_kind kind; /* of requests */
  gw_client_priority priority;
  int unordered; /* not 0: need not wait for messages sent before it */
  /* Not 0, of events: sent in one packet (MessageTooLarge (4004) for what does not fit: about 1,150 bytes always do),
     lost with it, never sent again, in no order (RFC 9221). Success then says that it was sent. Requests ignore it. */
  int unreliable;
  /* Not 0, of commands: sent again under one idempotency key until the server has answered or the time is over,
     whatever happens to sessions and servers meanwhile. A handler that is idempotent executes it once. */
  int durable;
} gw_client_call;

#define GW_CLIENT_CALL_INIT \
  { sizeof(gw_client_call), 0, 0, NULL, 0, GW_CLIENT_COMMAND, GW_CLIENT_PRIORITY_NORMAL, 0, 0, 0 }

typedef enum gw_client_status {
  GW_CLIENT_SUCCESS = 0, /* the handler's answer; of an event: it was handed to its handler */
  GW_CLIENT_FAILURE = 1, /* refused or failed, by the server or on the way */
  GW_CLIENT_TIMEOUT = 2  /* no answer in time; whether the message was handled is not known */
} gw_client_status;

typedef struct gw_client_reply {
  gw_client_status status;
  uint16_t code;    /* 0 on success, else one of `godwit errors` */
  const char* name; /* of the code: "HandlerNotFound"; "" on success */
  const char* text; /* for a person; "" on success */
  const void* body; /* body_bytes bytes; followed by a 0 that does not count */
  size_t body_bytes;
  const gw_client_header* headers;
  size_t header_count;
} gw_client_reply;

/*
 * Runs once per call, on the client's thread, or on the caller's before the function returns when the call is refused
 * at once. `reply` is valid during the call. Must not block. May call the client, but not gw_client_close.
 */
typedef void (*gw_client_on_reply)(void* user, const gw_client_reply* reply);

/* Names one call of a client, so that it can be withdrawn; 0: it was refused at once. */
typedef uint64_t gw_client_call_id;

/* "0.1.0" */
GW_CLIENT_API const char* gw_client_version(void);

/*
 * Makes a client and starts to connect. NULL when memory is exhausted or options->address is NULL; whatever else is
 * wrong with the options is the reply of every call. The caller owns the client and ends it with gw_client_close.
 */
GW_CLIENT_API gw_client* gw_client_open(const gw_client_options* options);

/* Where the client waits before it tries to connect again: it tries now. For those who know that the network is back.
 */
GW_CLIENT_API void gw_client_reconnect_now(gw_client* client);

/* Why a client goes, as the server's apps hear it. */
typedef enum gw_client_stop_reason {
  GW_CLIENT_STOP_NONE = 0,
  GW_CLIENT_STOP_LOGOUT = 1,
  GW_CLIENT_STOP_APP_CLOSE = 2,
  GW_CLIENT_STOP_SWITCH_ACCOUNT = 3
} gw_client_stop_reason;

/* Takes no more calls, and says why it goes when those under way have ended. Does not block; gw_client_close follows.
 */
GW_CLIENT_API void gw_client_stop(gw_client* client, gw_client_stop_reason reason);

/*
 * With no_thread: a descriptor that is readable when gw_client_process has something to do, deadlines included; the
 * same one all the time, and the client's. For poll, epoll or another loop, level-triggered. -1 without no_thread, and
 * when the options are wrong, which the first call says.
 */
GW_CLIENT_API int gw_client_event_fd(gw_client* client);
/*
 * With no_thread: does what is due, callbacks included, and returns without waiting. One thread at a time, and not from
 * a callback. Without it nothing happens, and heartbeats stay away: the server gives the connection up. The functions
 * that wait for a reply refuse to (UsageInvalid, 8002): nobody would bring it.
 */
GW_CLIENT_API void gw_client_process(gw_client* client);

/*
 * Waits for calls under way, at most linger_ms; those without a reply then fail with Cancelled (4006). Blocks
 * meanwhile, and when it returns no callback will run any more. NULL is ignored. Not to be called from a callback.
 */
GW_CLIENT_API void gw_client_close(gw_client* client);

/*
 * Sends a command (or query); on_reply hears the answer. `call` may be NULL. `body` may be NULL when body_bytes is 0.
 * Does not block.
 */
GW_CLIENT_API gw_client_call_id gw_client_request(gw_client* client, const char* action, const void* body,
                                                  size_t body_bytes, const gw_client_call* call,
                                                  gw_client_on_reply on_reply, void* user);

/* Sends an event; on_reply, which may be NULL, hears whether it was handed to its handler. Else as gw_client_request.
 */
GW_CLIENT_API gw_client_call_id gw_client_send(gw_client* client, const char* action, const void* body,
                                               size_t body_bytes, const gw_client_call* call,
                                               gw_client_on_reply on_reply, void* user);

/*
 * The call's on_reply hears Cancelled (4006), soon, unless the call has its reply by then. A request that was sent
 * already is withdrawn: the server's handler is told that it may stop, and what it has done until then is not known.
 */
GW_CLIENT_API void gw_client_cancel(gw_client* client, gw_client_call_id call);

/*
 * The same, and wait for the reply. The caller owns it and frees it with gw_client_reply_free. NULL only when memory is
 * exhausted. Not to be called from a callback, whose thread would wait for itself.
 */
GW_CLIENT_API gw_client_reply* gw_client_request_wait(gw_client* client, const char* action, const void* body,
                                                      size_t body_bytes, const gw_client_call* call);
GW_CLIENT_API gw_client_reply* gw_client_send_wait(gw_client* client, const char* action, const void* body,
                                                   size_t body_bytes, const gw_client_call* call);

/* Within on_message: the body of the answer to a command or query; copied. */
GW_CLIENT_API void gw_client_answer_reply(gw_client_answer* answer, const void* body, size_t body_bytes);
/* Within on_message: the failure that the server is told, by one of `godwit errors` and a text, which may be NULL. */
GW_CLIENT_API void gw_client_answer_fail(gw_client_answer* answer, uint16_t code, const char* text);

/* NULL is ignored. */
GW_CLIENT_API void gw_client_reply_free(gw_client_reply* reply);

#ifdef __cplusplus
}
#endif

#endif
