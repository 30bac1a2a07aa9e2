#include "scenario.h"

namespace godwit::sim {

std::vector<Scenario> all_scenarios() {
  return {
      {"handshake_loss30", "of 100 handshakes at 30 % loss each way at least 99 succeed within 15 s", handshake_loss30},
      {"greeting_stall", "who connects and says nothing, or too little, is gone in 5 s and frees its place",
       greeting_stall},
      {"caps", "of many clients at once exactly as many get in as there are places", caps},
      {"retry", "many handshakes at once prove their addresses, and all get in", retry},
      {"wrong_token", "a client without proof is told so and gets no second try on the same connection", wrong_token},
      {"unread_answers", "who asks and never reads the answers is closed before they pile up", unread_answers},
      {"requests_loss20", "10,000 requests at 20 % loss and 50 ± 20 ms are all answered, in order", requests_loss20},
      {"sizes", "bodies of every sixteenth size to 70,000 and of random ones to 1 MiB come back byte for byte", sizes},
      {"weak_network", "300 to 1,000 ms, 20 % loss, 128 KB/s: everything arrives in order, no session dies",
       weak_network},
      {"fire_and_forget", "100,000 events leave no stream and no promise behind", fire_and_forget},
      {"datagrams", "at 10 % loss unreliable events lose about as many, once and for all, and ordered messages none",
       datagrams},
      {"broken_datagrams", "whoever sends a datagram that is not one unreliable event is closed with a code",
       broken_datagrams},
      {"stream_limit", "messages over the stream limit wait and go on when others end", stream_limit},
      {"broken_bodies", "messages with broken bodies are refused by number, and those behind them go on",
       broken_bodies},
      {"unknown_streams", "a stream of unknown type is refused with a code, and the connection lives on",
       unknown_streams},
      {"lost_heads", "who loses a message's head is closed with a code: its number would be missing for ever",
       lost_heads},
      {"body_room", "bodies for which there is no room wait in their sender, and all arrive", body_room},
      {"hoarded_bodies", "who begins many bodies and ends none costs what is promised, and holds up nobody else",
       hoarded_bodies},
      {"port_change", "the client's port and address change mid-stream: same session, nothing lost", port_change},
      {"server_silent", "when the server vanishes the client hears a code within 60 s", server_silent},
      {"idle_link", "a silent but heartbeating link lives ten minutes", idle_link},
      {"amplification", "an address that nothing proves gets at most three times what came from it", amplification},
      {"drain", "a server that goes down answers what it has and says why it takes no more", drain},
      {"resume", "connections are lost again and again: one session, everything once and in order, both ways", resume},
      {"resume_window", "a session is found again a second before its window ends, and SessionLost is told after",
       resume_window},
      {"takeover", "a client that reconnects at once finds its session, a hundred times, and nothing piles up",
       takeover},
      {"lost_welcomes", "Welcomes that are lost one after the other lose no session", lost_welcomes},
      {"closed_for_good", "a session that a handler closed is not resumed, whatever its client does", closed_for_good},
      {"lua_echo", "the shipped echo app answers everything while it is replaced again and again, by broken text too",
       lua_echo},
      {"reload", "a thousand reloads, rollbacks and broken versions under 10,000 messages a second harm no message",
       reload},
      {"chaos", "everything at once, by seed", chaos},
  };
}

}  // namespace godwit::sim
