/* The take-over of a session: one client that sends MESSAGES over at most CONNECTIONS, two workers, and the words between
 * them. States are named as in the code. What a connection had under way when it was given up may arrive late or never;
 * lanes overtake each other. README.md says what is checked, and which faults can be planted. */
#define MESSAGES 3
#define CONNECTIONS 3

mtype:state = { greeting, live, detached, gone };
mtype:frame = { Hello, Message, Welcome, Refuse, Ack };
mtype:word = { Ask, Give, Deny };

chan up[4] = [5] of { mtype:frame, byte };          /* Hello(token), Message(seq) */
chan down[4] = [6] of { mtype:frame, byte, byte };  /* Welcome(epoch, last_seq), Ack(seq), Refuse */
chan mail[2] = [4] of { mtype:word, byte, byte, byte };
                       /* Ask(connection, from, token), Give(connection, epoch, last_seq), Deny(connection) */

typedef Session {
  mtype:state state;
  byte epoch;
  byte last_seq;    /* handled, all up to this one */
  byte connection;  /* 0: none */
  byte attempt;     /* the connection that took it last */
  bool confirmed;   /* the client was heard on this epoch's connection */
};
Session session[2];
byte owner;             /* the directory: who has the session, or is being given it */
byte worker_of[4];      /* where a connection landed */
bool given_up[4];       /* by the client */

/* What the properties speak of. */
byte handled[MESSAGES + 1];
byte handled_to, sent_to, acked_to, newest_epoch;
byte epoch_of[4];       /* that a connection was welcomed with */
byte used[6];           /* how often a token was accepted */
bool lost;              /* the client was told that the session is lost */

#ifdef NO_EPOCH_CHECK
#define fits(w, token, n) true
#elif defined(NO_ATTEMPT)
#define fits(w, token, n) (token == session[w].epoch || (token + 1 == session[w].epoch && !session[w].confirmed))
#elif defined(TOKEN_UNTIL_CONFIRMED)
/* An attempt that is older than the one which took the session comes too late: n is the client's count of them. */
#define fits(w, token, n) \
  (token == session[w].epoch || (token + 1 == session[w].epoch && !session[w].confirmed && n > session[w].attempt))
#else
#define fits(w, token, n) (token == session[w].epoch)
#endif
#define has_session(w) (session[w].state == live || session[w].state == detached)
#define accepts(w, token, n) (has_session(w) && fits(w, token, n))

/* The worker's session goes on over this connection. */
inline welcome(w, c, epoch_now) {
  session[w].state = live;
  session[w].epoch = epoch_now;
  session[w].connection = c;
  session[w].attempt = c;
  session[w].confirmed = false;
  epoch_of[c] = epoch_now;
  newest_epoch = epoch_now;
  assert(session[w].last_seq == handled_to);  /* P6 */
  down[c]!Welcome(epoch_now, session[w].last_seq);
}

inline accept_token(token) {
  used[token]++;
#ifndef TOKEN_UNTIL_CONFIRMED
  assert(used[token] == 1);  /* P10: once */
#endif
}

inline handle(w, c, seq) {
  assert(epoch_of[c] == newest_epoch);  /* P5: of an older epoch nothing has an effect */
  handled[seq]++;
  assert(handled[seq] == 1);            /* P2 */
  assert(seq == handled_to + 1);        /* P3 */
  assert(seq <= sent_to);               /* P4 */
  handled_to = seq;
  session[w].last_seq = seq;
}

/* A session that is under way to this worker is waited for. */
#define asked_here(w, n) (worker_of[n] == w && up[n]?[Hello, _] && !mail[w]??[Give, _, _, _])
#define serves(w) (session[w].state == live && session[w].connection != 0)
#define seen_again(w, n) (serves(w) && session[w].last_seq >= n && up[session[w].connection]??[Message, n])

inline meet(w, n) {
  c = n; up[c]?Hello(token);
  if
  :: owner != w -> mail[owner]!Ask(c, w, token)
  :: owner == w && accepts(w, token, c) -> accept_token(token); fresh = session[w].epoch + 1; welcome(w, c, fresh)
  :: owner == w && !accepts(w, token, c) -> down[c]!Refuse(0, 0)
  fi
}

/* What was seen before is acknowledged again, and has no other effect. */
inline drop(w, n) {
  c = session[w].connection; up[c]??Message, n; session[w].confirmed = true;
#ifdef NO_DEDUPE
  handled[n]++; assert(handled[n] == 1);
#endif
  down[c]!Ack(session[w].last_seq, 0)
}

proctype Worker(byte w) {
  byte c, from, token, seq, fresh;
end:
  do
  :: atomic { asked_here(w, 2) -> meet(w, 2) }
  :: atomic { asked_here(w, 3) -> meet(w, 3) }
  :: atomic { mail[w]?Ask(c, from, token);
      if
      :: owner == w && accepts(w, token, c) ->
        accept_token(token);
        mail[from]!Give(c, session[w].epoch + 1, session[w].last_seq);
#ifndef NO_FENCE
        session[w].connection = 0; session[w].state = gone;
#endif
        owner = from
      :: owner != w -> mail[owner]!Ask(c, from, token)  /* it was given away meanwhile */
      :: owner == w && !accepts(w, token, c) -> mail[from]!Deny(c, 0, 0)
      fi }
  :: atomic { mail[w]?Give(c, token, seq); session[w].last_seq = seq; welcome(w, c, token) }
  :: atomic { mail[w]?Deny(c, _, _); down[c]!Refuse(0, 0) }
  /* The next in order, by whatever lane it came. */
  :: atomic { serves(w) && up[session[w].connection]??[Message, eval(session[w].last_seq + 1)] ->
      c = session[w].connection; seq = session[w].last_seq + 1;
#ifdef ACK_FIRST
      down[c]!Ack(seq, 0) }
      atomic {
#endif
      up[c]??Message, eval(seq); session[w].confirmed = true; handle(w, c, seq);
#ifndef ACK_FIRST
      down[c]!Ack(seq, 0)
#endif
      }
  :: atomic { seen_again(w, 1) -> drop(w, 1) }
  :: atomic { seen_again(w, 2) -> drop(w, 2) }
  :: atomic { seen_again(w, 3) -> drop(w, 3) }
  :: atomic { serves(w) && given_up[session[w].connection] -> session[w].connection = 0; session[w].state = detached }
#ifndef NO_EXPIRY
  :: atomic { session[w].state == detached && owner == w -> session[w].state = gone }
#endif
  od
}

proctype Client() {
  mtype:state state = live;
  byte c = 1, token = 1, next = 1, epoch, seq;
end:
  do
  :: atomic { state == live && next <= MESSAGES && nfull(up[c]) -> up[c]!Message(next);
      if :: next > sent_to -> sent_to = next :: else fi; next++ }
  :: atomic { state == live && down[c]?[Ack, seq, _] -> down[c]?Ack(seq, _);
      assert(seq <= handled_to);  /* P1 */
      if :: seq > acked_to -> acked_to = seq :: else fi }
  :: atomic { state == greeting && down[c]?[Welcome, epoch, seq] -> down[c]?Welcome(epoch, seq);
      assert(epoch > token && seq >= acked_to && seq <= sent_to);
      token = epoch;
      if  /* what the other has, or more: all that was not acknowledged */
      :: acked_to = seq
      :: true
      fi;
      next = acked_to + 1; state = live }
  :: atomic { state == greeting && down[c]?[Refuse, _, _] -> down[c]?Refuse(_, _); state = gone; lost = true }
  /* Another address, or patience is over: whatever this connection still carries is late. */
  :: atomic { state != gone && c < CONNECTIONS && acked_to < MESSAGES -> given_up[c] = true; c++;
      if :: worker_of[c] = 0 :: worker_of[c] = 1 fi;
      up[c]!Hello(token); state = greeting }
  od
}

init {
  atomic {
    session[0].state = live; session[0].epoch = 1; session[0].connection = 1; session[0].attempt = 1;
    session[1].state = gone; epoch_of[1] = 1; newest_epoch = 1;
    run Worker(0); run Worker(1); run Client()
  }
}

/* P9: everything is acknowledged, or reported as lost. */
ltl settled { <> (acked_to == MESSAGES || lost) }
/* Nothing is lost while the session's time is not over. */
ltl kept { <> (acked_to == MESSAGES) }
