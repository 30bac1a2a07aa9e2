/* The take-over of a session: one client that sends MESSAGES and gives up its connection BREAKS times, whenever it likes;
 * two workers, of which one has the session. States are named as in the code. What a connection carried when it was given
 * up arrives late or never; lanes overtake each other. README.md says what is checked, and what can be planted. */
#define MESSAGES 3
#define BREAKS 2
#define CONNECTIONS 6  /* enough for each to be led to the right worker, and to come again once */

mtype:state = { greeting, live, detached, gone };
mtype:frame = { Hello, Message, Welcome, Lost, Elsewhere, Superseded, Ack };

chan up[CONNECTIONS + 1] = [4] of { mtype:frame, byte };          /* Hello(token), Message(seq) */
chan down[CONNECTIONS + 1] = [8] of { mtype:frame, byte, byte };  /* Welcome(epoch, last_seq), Ack(seq), others */

typedef Session {
  mtype:state state;
  byte epoch;
  byte last_seq;    /* handled, all up to this one */
  byte connection;  /* 0: none */
  byte attempt;     /* the connection that took it last */
  bool confirmed;   /* the client was heard on this epoch's connection */
};
Session session;        /* worker 0 has it */
byte worker_of[CONNECTIONS + 1];
bool given_up[CONNECTIONS + 1];

/* What the properties speak of. */
byte handled[MESSAGES + 1];
byte handled_to, sent_to, acked_to, newest_epoch, heard_epoch;
byte epoch_of[CONNECTIONS + 1];  /* that a connection was welcomed with */
byte used[CONNECTIONS + 2];      /* how often a token was accepted */
bool reported;                   /* the client was told that it does not have the session any more */

#define newest(token) (token == session.epoch)
/* The Welcome may have been lost: until the client was heard again, the token before is good as well. */
#define before(token) (token + 1 == session.epoch && !session.confirmed)
#ifdef NO_EPOCH_CHECK
#define fits(token, n) true
#elif defined(SINGLE_USE)
#define fits(token, n) newest(token)
#elif defined(NO_ATTEMPTS)
#define fits(token, n) (newest(token) || before(token))
#else
/* The client counts its attempts: one that is older than the one which took the session comes too late. */
#define fits(token, n) ((newest(token) || before(token)) && n > session.attempt)
#endif
#define here (session.state == live || session.state == detached)
#define serves (session.state == live && session.connection != 0)
#define asked(n) (worker_of[n] == 0 && up[n]?[Hello, _])
#define asked_elsewhere(n) (worker_of[n] == 1 && up[n]?[Hello, _])
#define seen_again(n) (serves && session.last_seq >= n && up[session.connection]??[Message, n])

/* The session goes on over this connection, and the one before has no say any more. */
inline take_up(token) {
  used[token]++;
  assert(token >= heard_epoch);              /* P10: none that is older than what the client was heard with */
#ifdef SINGLE_USE
  assert(used[token] == 1);
#endif
#ifndef NO_FENCE
  if :: session.connection != 0 -> down[session.connection]!Superseded(0, 0) :: else fi;
#endif
  session.state = live; session.epoch++; session.connection = c; session.attempt = c; session.confirmed = false;
  epoch_of[c] = session.epoch; newest_epoch = session.epoch;
  assert(session.last_seq == handled_to);    /* P6 */
  down[c]!Welcome(session.epoch, session.last_seq)
}

inline meet(n) {
  c = n; up[c]?Hello(token);
  if
  :: !here -> down[c]!Lost(0, 0)
  :: here && fits(token, c) -> take_up(token)
  :: here && !fits(token, c) -> down[c]!Superseded(0, 0)
  fi
}

inline handle(seq) {
  assert(epoch_of[c] == newest_epoch);       /* P5: of an older epoch nothing has an effect */
  handled[seq]++;
  assert(handled[seq] == 1);                 /* P2 */
  assert(seq == handled_to + 1);             /* P3 */
  assert(seq <= sent_to);                    /* P4 */
  handled_to = seq; session.last_seq = seq;
  session.confirmed = true; heard_epoch = session.epoch
}

/* What was seen before is acknowledged again, and has no other effect. */
inline drop(n) {
  c = session.connection; up[c]??Message, n; session.confirmed = true; heard_epoch = session.epoch;
#ifdef NO_DEDUPE
  handled[n]++; assert(handled[n] == 1);
#endif
  down[c]!Ack(session.last_seq, 0)
}

/* The next in order, from connection n, by whatever lane it came. */
#ifdef NO_FENCE
#define next_from(n) (session.state == live && n != 0 && epoch_of[n] > 0 && up[n]??[Message, eval(session.last_seq + 1)])
#else
#define next_from(n) (serves && session.connection == n && up[n]??[Message, eval(session.last_seq + 1)])
#endif
inline next_message(n) {
  c = n; seq = session.last_seq + 1;
#ifdef ACK_FIRST
  down[c]!Ack(seq, 0); early = true
#else
  up[c]??Message, eval(seq); handle(seq); down[c]!Ack(seq, 0)
#endif
}

proctype Worker() {
  byte c, token, seq; bool early;
end:
  do
  :: atomic { asked(2) -> meet(2) }
  :: atomic { asked(3) -> meet(3) }
  :: atomic { asked(4) -> meet(4) }
  :: atomic { asked(5) -> meet(5) }
  :: atomic { asked(6) -> meet(6) }
  :: atomic { !early && next_from(1) -> next_message(1) }
  :: atomic { !early && next_from(2) -> next_message(2) }
  :: atomic { !early && next_from(3) -> next_message(3) }
  :: atomic { !early && next_from(4) -> next_message(4) }
  :: atomic { !early && next_from(5) -> next_message(5) }
  :: atomic { !early && next_from(6) -> next_message(6) }
  :: atomic { early -> early = false; up[c]??Message, eval(seq); handle(seq) }
  :: atomic { seen_again(1) -> drop(1) }
  :: atomic { seen_again(2) -> drop(2) }
  :: atomic { seen_again(3) -> drop(3) }
  :: atomic { serves && given_up[session.connection] -> session.connection = 0; session.state = detached }
#ifndef NO_EXPIRY
  :: atomic { session.state == detached -> session.state = gone }
#endif
  od
}

proctype OtherWorker() {
end:
  do
  :: atomic { asked_elsewhere(2) -> up[2]?Hello(_); down[2]!Elsewhere(0, 0) }
  :: atomic { asked_elsewhere(3) -> up[3]?Hello(_); down[3]!Elsewhere(0, 0) }
  :: atomic { asked_elsewhere(4) -> up[4]?Hello(_); down[4]!Elsewhere(0, 0) }
  :: atomic { asked_elsewhere(5) -> up[5]?Hello(_); down[5]!Elsewhere(0, 0) }
  od
}

inline come_again() { given_up[c] = true; c++; up[c]!Hello(token); state = greeting }

proctype Client() {
  mtype:state state = live;
  byte c = 1, token = 1, next = 1, breaks, epoch, seq;
end:
  do
  :: atomic { state == live && next <= MESSAGES && nfull(up[c]) -> up[c]!Message(next);
      if :: next > sent_to -> sent_to = next :: else fi; next++ }
  :: atomic { state == live && down[c]?[Ack, seq, _] -> down[c]?Ack(seq, _);
      assert(seq <= handled_to);             /* P1 */
      if :: seq > acked_to -> acked_to = seq :: else fi }
  :: atomic { state == greeting && down[c]?[Welcome, epoch, seq] -> down[c]?Welcome(epoch, seq);
      assert(epoch > token && seq >= acked_to && seq <= sent_to);
      token = epoch;
      if  /* what the other has, or more: all that was not acknowledged */
      :: acked_to = seq
      :: true
      fi;
      next = acked_to + 1; state = live }
  :: atomic { down[c]?[Lost, _, _] -> down[c]?Lost(_, _); state = gone; reported = true }
  :: atomic { state == greeting && down[c]?[Elsewhere, _, _] -> down[c]?Elsewhere(_, _); worker_of[c + 1] = 0; come_again() }
#ifdef COMES_AGAIN
  :: atomic { state != gone && down[c]?[Superseded, _, _] -> down[c]?Superseded(_, _); worker_of[c + 1] = 0; come_again() }
#else
  :: atomic { state != gone && down[c]?[Superseded, _, _] -> down[c]?Superseded(_, _); state = gone; reported = true }
#endif
  /* Another address, or patience is over: whatever this connection still carries is late. */
  :: atomic { state != gone && breaks < BREAKS && acked_to < MESSAGES -> breaks++;
      if :: worker_of[c + 1] = 0 :: worker_of[c + 1] = 1 fi; come_again() }
  od
}

init {
  atomic {
    session.state = live; session.epoch = 1; session.connection = 1; session.attempt = 1;
    epoch_of[1] = 1; newest_epoch = 1;
    run Worker(); run OtherWorker(); run Client()
  }
}

/* P9: everything is acknowledged, or reported. */
ltl settled { <> (acked_to == MESSAGES || reported) }
/* Nothing is lost while the session's time is not over. */
ltl kept { <> (acked_to == MESSAGES) }
