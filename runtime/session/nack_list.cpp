#include "session/nack_list.h"

#include <algorithm>

namespace godwit::session {

std::vector<wire::Nack> NackList::take(size_t count) {
  std::vector<wire::Nack> taken;
  for (; sent_ < nacks_.size() && taken.size() < count; ++sent_) {
    const Nack& nack = nacks_[sent_];
    taken.push_back({nack.seq, nack.code, nack.text});
  }
  return taken;
}

void NackList::shorten_sent(bool keep) {
  if (!keep) {
    while (sent_ > 0) pop();
    return;
  }
  // From the newest on: what was sent before is short already.
  for (size_t i = sent_; i-- > 0 && nacks_[i].text.size() > kKeptTextBytesMax;) {
    nacks_[i].text.resize(kKeptTextBytesMax);
    nacks_[i].text.shrink_to_fit();
  }
}

void NackList::resend_beyond(uint64_t seq) {
  std::erase_if(nacks_, [seq](const Nack& nack) { return nack.seq <= seq; });
  sent_ = 0;
}

}  // namespace godwit::session
