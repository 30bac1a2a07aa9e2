#pragma once

#include "host/codec.h"
#include "host/plugin_host.h"
#include "host/plugin_reports.h"

namespace godwit::host {

/// The codec that an instance is.
class PluginCodec final : public Codec {
 public:
  /// All of them outlive it; `self` is set before it is first asked.
  PluginCodec(const gw_codec_kind& kind, PluginHost& host, void* const& self, PluginReports& reports,
              const Clock& clock)
      : kind_(kind), host_(host), self_(self), reports_(reports), clock_(clock) {}

  std::string_view content_type() const override { return kind_.content_type; }
  std::string_view handler_type() const override { return kind_.handler_type; }
  Result<std::vector<uint8_t>> decode(Bytes body, size_t bytes_max) override;
  Result<std::vector<uint8_t>> encode(Bytes body, size_t bytes_max) override;

 private:
  struct Outcome {
    gw_status status;
    std::vector<uint8_t> bytes;
  };
  Outcome translate(decltype(gw_codec_kind::encode) function, std::string_view what, Bytes body, size_t bytes_max);

  const gw_codec_kind& kind_;
  PluginHost& host_;
  void* const& self_;
  PluginReports& reports_;
  const Clock& clock_;
};

}  // namespace godwit::host
