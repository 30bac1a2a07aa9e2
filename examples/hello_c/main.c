/* Asks the server for an answer and waits for it; then sends an event and hears from a callback that it was handled. */
#include <godwit/client.h>
#include <stdio.h>

static void on_acknowledged(void* user, const gw_client_reply* reply) {
  *(int*)user = reply->status;
  if (reply->status == GW_CLIENT_SUCCESS)
    printf("the event was handled\n");
  else
    printf("the event was not handled: %s: %s\n", reply->name, reply->text);
}

int main(int argc, char** argv) {
  gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  options.address = argc > 1 ? argv[1] : "127.0.0.1:8453";
  options.insecure = 1;
  gw_client* client = gw_client_open(&options);
  if (!client) return 1;

  gw_client_reply* reply = gw_client_request_wait(client, "echo", "hello", 5, NULL);
  const int answered = reply && reply->status == GW_CLIENT_SUCCESS;
  if (answered)
    printf("%.*s\n", (int)reply->body_bytes, (const char*)reply->body);
  else if (reply)
    printf("%s: %s\n", reply->name, reply->text);
  gw_client_reply_free(reply);

  int event_status = GW_CLIENT_FAILURE;
  gw_client_send(client, "echo", "hello", 5, NULL, on_acknowledged, &event_status);
  gw_client_close(client); /* waits for the callback */
  return answered && event_status == GW_CLIENT_SUCCESS ? 0 : 1;
}
