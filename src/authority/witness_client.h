// SPDX-License-Identifier: Apache-2.0
//
// One witness of the log, as the log speaks to it (C2SP tlog-witness). Trusts nothing that is not signed: a cosignature counts if it
// verifies, and a size that the witness says it has seen is its word until our own signature stands under it. One loop.
#pragma once

#include "net/http_client.h"
#include "tlog/cosignature.h"
#include "tlog/log.h"

#include <memory>

namespace writ::authority {

struct WitnessAddress {
    std::string url; // `http://` or `https://`, host, port, and whatever prefix its paths have
    tlog::WitnessVerifier key;
};
// `URL=KEY`.
Result<WitnessAddress> parse_witness_address(std::string_view);

class WitnessClient {
public:
    // `roots`: DER; who may vouch for a server of `https://`.
    static Result<std::unique_ptr<WitnessClient>> create(WitnessAddress, tlog::NoteVerifier log, std::vector<Bytes> const& roots, Clock const&);

    // The line of its cosignature over a checkpoint that the log has published. Learns from the witness which size it knows, and sends
    // the proof from there. conflict: the witness has seen a larger log, or another one.
    net::Task<Result<tlog::Cosignature>> submit(tlog::Log const&, std::string note, std::uint64_t size);

    // The newest checkpoint of this log, signed by its key, that the witness has; none if it has none. Never believed without that
    // signature.
    net::Task<Result<std::optional<tlog::Checkpoint>>> latest_seen();

    [[nodiscard]] WitnessAddress const& address() const { return address_; }
    [[nodiscard]] std::uint64_t known_size() const { return known_size_; }

private:
    WitnessClient(WitnessAddress address, std::string prefix, tlog::NoteVerifier log, net::Address server, net::HttpClientOptions options)
        : address_(std::move(address))
        , prefix_(std::move(prefix))
        , log_(std::move(log))
        , client_(std::move(server), std::move(options))
    {
    }
    Result<tlog::Cosignature> read_cosignature(net::Response const&, std::string const& note) const;
    Result<> read_size(net::Response const&, std::uint64_t newest);

    WitnessAddress const address_;
    std::string const prefix_;
    tlog::NoteVerifier const log_;
    net::HttpClient client_;
    std::uint64_t known_size_ = 0; // of the checkpoint that it cosigned last, as far as we know
};

} // namespace writ::authority
