#include <godwit/plugin.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A plugin that does what the tests ask it to, rightly and wrongly. */

typedef struct instance {
  const gw_host* host;
  uint32_t handlers[2];
  int64_t count; /* of messages, survives reloads */
  gw_ticket kept;
  gw_timer ticking;
  uint32_t ticks;
  int started;
} instance;

static gw_status create(const gw_host* host, void** self) {
  gw_value value;
  if (host->config->get(host, GW_TEXT("fail"), &value) == GW_OK) return (gw_status)value.integer;
  if (host->config->get(host, GW_TEXT("locale"), &value) == GW_OK) setlocale(LC_ALL, "C.UTF-8");
  instance* made = calloc(1, sizeof *made);
  made->host = host;
  *self = made;
  gw_text pattern = GW_TEXT("test.*");
  if (host->config->get(host, GW_TEXT("pattern"), &value) == GW_OK) pattern = value.text;
  host->metrics->declare(host, GW_METRIC_COUNTER, GW_TEXT("ticks"), GW_TEXT("of the timer"), &made->ticks);
  const gw_status bound = host->handlers->bind(host, pattern, &made->handlers[0]);
  if (bound != GW_OK) {
    free(made);
    return bound;
  }
  return host->handlers->bind(host, GW_TEXT("event/other.**"), &made->handlers[1]);
}

static void start(void* self) { ((instance*)self)->started = 1; }

static void destroy(void* self) {
  instance* own = self;
  own->host->core->log(own->host, GW_LOG_INFO, GW_TEXT("destroyed"), NULL, 0);
  free(own);
}

static gw_status reply_text(const gw_host* host, const gw_message* message, const char* text) {
  const gw_bytes body = {(const uint8_t*)text, strlen(text)};
  return host->messages->reply(host, message->ticket, body, NULL, 0);
}

static gw_status reply_status(const gw_host* host, const gw_message* message, gw_status status) {
  char digits[16];
  size_t at = sizeof digits;
  digits[--at] = 0;
  do digits[--at] = (char)('0' + status % 10);
  while ((status /= 10) > 0);
  return reply_text(host, message, digits + at);
}

typedef struct stranger {
  const gw_host* host;
  gw_ticket ticket;
  gw_status status;
} stranger;

static void* reply_from_elsewhere(void* argument) {
  stranger* own = argument;
  own->status = own->host->messages->reply(own->host, own->ticket, (gw_bytes){NULL, 0}, NULL, 0);
  own->host->core->log(own->host, GW_LOG_INFO, GW_TEXT("logged from elsewhere"), NULL, 0);
  return NULL;
}

static gw_status from_another_thread(const gw_host* host, const gw_message* message) {
  stranger other = {host, message->ticket, GW_OK};
  pthread_t thread;
  pthread_create(&thread, NULL, reply_from_elsewhere, &other);
  pthread_join(thread, NULL);
  return reply_status(host, message, other.status);
}

static gw_status twice(const gw_host* host, const gw_message* message) {
  reply_text(host, message, "first");
  const gw_status second = reply_text(host, message, "second");
  const gw_text said = GW_TEXT("second");
  gw_log_field field = {said, {second == GW_ERROR_STALE ? "stale" : "taken", 5}};
  host->core->log(host, GW_LOG_INFO, GW_TEXT("replied twice"), &field, 1);
  return GW_OK;
}

static gw_status configured(const gw_host* host, const gw_message* message) {
  gw_value value;
  const gw_text key = {(const char*)message->body.data, message->body.size};
  int64_t ns;
  uint64_t bytes;
  gw_status status = host->config->get(host, key, &value);
  if (status != GW_OK) return reply_status(host, message, status);
  if (value.type == GW_VALUE_INTEGER) return reply_status(host, message, (gw_status)value.integer);
  if (value.type == GW_VALUE_BOOLEAN) return reply_text(host, message, value.boolean ? "true" : "false");
  if (host->config->duration_ns(host, key, &ns) == GW_OK) return reply_status(host, message, (gw_status)(ns / 1000));
  if (host->config->size_bytes(host, key, &bytes) == GW_OK) return reply_status(host, message, (gw_status)bytes);
  return host->messages->reply(host, message->ticket, (gw_bytes){(const uint8_t*)value.text.data, value.text.size},
                               NULL, 0);
}

/* One deferred message and what it is answered with. */
typedef struct job {
  const gw_host* host;
  gw_ticket ticket;
  const char* text;
} job;

static job* begin_job(const gw_host* host, const gw_message* message, uint32_t flags) {
  if (host->messages->defer(host, message->ticket, flags) != GW_OK) return NULL;
  job* made = malloc(sizeof *made);
  *made = (job){host, message->ticket, "nothing"};
  return made;
}

static void end_work(void* self, void* argument) {
  (void)self;
  const job* own = argument;
  own->host->messages->reply(own->host, own->ticket, (gw_bytes){(const uint8_t*)own->text, strlen(own->text)}, NULL, 0);
}

static void finish_job(void* self, void* argument) {
  end_work(self, argument);
  free(argument);
}

static void work_on_job(void* argument) { ((job*)argument)->text = "worked"; }

static void* post_job(void* argument) {
  job* own = argument;
  own->text = "posted";
  own->host->threads->post(own->host, finish_job, own);
  return NULL;
}

static gw_status post_from_thread(job* own) {
  pthread_t thread;
  pthread_create(&thread, NULL, post_job, own);
  pthread_join(thread, NULL);
  return GW_OK;
}

static void tick(void* self, void* argument) {
  instance* own = self;
  (void)argument;
  own->host->metrics->add(own->host, own->ticks, 1);
}

static int is(gw_text action, const char* wanted) {
  return action.size == strlen(wanted) && memcmp(action.data, wanted, action.size) == 0;
}

static gw_status on_message(void* self, const gw_message* message) {
  instance* own = self;
  const gw_host* host = own->host;
  own->count += 1;
  if (message->handler == own->handlers[1]) return is(message->action, "other.refused") ? GW_ERROR_FORBIDDEN : GW_OK;
  if (is(message->action, "test.echo"))
    return host->messages->reply(host, message->ticket, message->body, message->headers, message->header_count);
  if (is(message->action, "test.refuse"))
    return host->messages->fail(host, message->ticket, GW_ERROR_FORBIDDEN, GW_TEXT("not for you"));
  if (is(message->action, "test.break")) return GW_ERROR_PLUGIN_FAILED;
  if (is(message->action, "test.silent")) return GW_OK;
  if (is(message->action, "test.twice")) return twice(host, message);
  if (is(message->action, "test.stranger")) return from_another_thread(host, message);
  if (is(message->action, "test.config")) return configured(host, message);
  if (is(message->action, "test.count")) return reply_status(host, message, (gw_status)own->count);
  if (is(message->action, "test.started")) return reply_status(host, message, own->started);
  if (is(message->action, "test.who"))
    return host->messages->reply(host, message->ticket,
                                 (gw_bytes){(const uint8_t*)message->uid.data, message->uid.size}, NULL, 0);
  if (is(message->action, "test.late")) {
    uint32_t handler;
    return reply_status(host, message, host->handlers->bind(host, GW_TEXT("late"), &handler));
  }
  if (is(message->action, "test.headers"))
    return reply_status(host, message, host->messages->reply(host, message->ticket, message->body, NULL, 3));
  if (is(message->action, "test.defer")) {
    own->kept = message->ticket;
    return host->messages->defer(host, message->ticket, 0);
  }
  if (is(message->action, "test.resolve")) {
    const gw_status resolved = host->messages->reply(host, own->kept, message->body, NULL, 0);
    return reply_status(host, message, resolved);
  }
  if (is(message->action, "test.notify")) {
    const gw_outgoing event = {
        .struct_size = sizeof event, .kind = GW_EVENT, .action = GW_TEXT("note"), .body = message->body};
    const gw_status before = host->messages->notify(host, message->ticket, GW_BEFORE_RESPONSE, &event);
    reply_status(host, message, before);
    const gw_status late = host->messages->notify(host, message->ticket, GW_AFTER_RESPONSE, &event);
    const gw_status too_late = host->messages->notify(host, own->kept, GW_AFTER_RESPONSE, &event);
    own->kept = late == GW_OK && too_late == GW_ERROR_STALE ? 77 : 0;
    return GW_OK;
  }
  if (is(message->action, "test.kept")) return reply_status(host, message, own->kept != 0);
  if (is(message->action, "test.later")) {
    job* made = begin_job(host, message, GW_DEFER_UNORDERED);
    gw_timer timer;
    made->text = "later";
    return host->timers->start(host, 50 * 1000000, 0, finish_job, made, &timer);
  }
  if (is(message->action, "test.work")) {
    if (!GW_HAS(gw_threads_table, host->threads, work)) return GW_ERROR_NOT_SUPPORTED;
    static job only; /* the instance may be gone before the work is through */
    host->messages->defer(host, message->ticket, 0);
    only = (job){host, message->ticket, "nothing"};
    const gw_status begun = host->threads->work(host, work_on_job, end_work, &only);
    if (begun != GW_OK) host->messages->fail(host, message->ticket, begun, GW_TEXT("no room"));
    return GW_OK;
  }
  if (is(message->action, "test.post")) return post_from_thread(begin_job(host, message, 0));
  if (is(message->action, "test.tick"))
    return reply_status(host, message, host->timers->start(host, 1000, 1000, tick, NULL, &own->ticking));
  if (is(message->action, "test.untick")) return reply_status(host, message, host->timers->stop(host, own->ticking));
#ifdef GW_GROWN
  if (is(message->action, "test.grown"))
    return reply_status(host, message, GW_REACHES(gw_messages_table, host->messages, grown_members) ? 1 : 0);
#endif
  if (is(message->action, "test.crash")) abort();
  return GW_ERROR_HANDLER_NOT_FOUND;
}

static void on_cancel(void* self, gw_ticket ticket) {
  instance* own = self;
  const gw_status late = own->host->messages->reply(own->host, ticket, (gw_bytes){NULL, 0}, NULL, 0);
  if (ticket == own->kept && late == GW_ERROR_STALE) own->kept = 0;
}

static gw_status save(void* self) {
  instance* own = self;
  return own->host->state->write(own->host, (gw_bytes){(const uint8_t*)&own->count, sizeof own->count});
}

static gw_status restore(void* self, gw_bytes state, gw_text version) {
  instance* own = self;
  if (state.size != sizeof own->count || !is(version, "1.2.3")) return GW_ERROR_ARGUMENT_INVALID;
  memcpy(&own->count, state.data, state.size);
  return GW_OK;
}

static const gw_instance_table instance_functions = {
    .struct_size = sizeof(gw_instance_table),
    .create = create,
    .start = start,
    .destroy = destroy,
    .save = save,
    .restore = restore,
};
static const gw_handler_kind handler = {
    .struct_size = sizeof(gw_handler_kind),
    .on_message = on_message,
    .on_cancel = on_cancel,
};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD,
    .kinds = GW_KIND_HANDLER,
    .flags = GW_FLAG_CAN_UNLOAD,
    GW_PLUGIN_SIZES,
    .name = "fixture",
    .version = "1.2.3",
    .license = "GPL-3.0-or-later",
    .description = "does what the tests ask for",
    .instance = &instance_functions,
    .handler = &handler,
};
