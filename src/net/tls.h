// SPDX-License-Identifier: Apache-2.0
//
// TLS 1.3 and nothing older, without resumption: each handshake is verified against the roots of that moment. Identities and roots may
// be replaced while serving; connections that stand keep what they were made with. Used on one loop.
#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "net/stream.h"
#include "net/task.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace writ::net {

// A certificate path and its key.
struct TlsIdentity {
    // DER, leaf first, in order. A server whose clients pin its root (joining agents do) has the root as the last one.
    std::vector<Bytes> certificates;
    SecretBytes private_key; // PKCS#8, DER
};

enum class ClientCertificates : std::uint8_t {
    ignored,  // not asked for
    optional, // verified if the client shows one; one that does not verify ends the handshake
    required,
};

class TlsServerContext {
public:
    static Result<std::shared_ptr<TlsServerContext>> create(
        TlsIdentity const&, ClientCertificates, std::vector<Bytes> const& client_roots, Clock const&);
    ~TlsServerContext();

    // For the handshakes that begin from now on.
    Result<> replace_identity(TlsIdentity const&);
    Result<> replace_client_roots(std::vector<Bytes> const& client_roots);

    // unauthenticated: the client's certificate does not verify, or it has none and needs one. Within the stream's deadline.
    Task<Result<std::unique_ptr<Stream>>> accept(std::unique_ptr<Stream> plain) const;

private:
    struct State;
    explicit TlsServerContext(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

struct TlsClientOptions {
    // Which roots the server's path may end in: these, or the one whose DER has this SHA-256, which the server has to send.
    std::vector<Bytes> roots;
    std::optional<Bytes> pinned_root_sha256;

    // Who the server must be. SECURITY: at least one is set; whoever has a certificate of the same roots could pose as the server
    // otherwise.
    std::string server_id;      // SPIFFE ID
    std::string server_id_path; // of a SPIFFE ID of any trust domain: `/writ/authority`; for a client that has not joined yet
    std::string server_name;    // DNS name or IP address

    std::optional<TlsIdentity> identity; // what the client shows of itself
};

class TlsClientContext {
public:
    static Result<std::shared_ptr<TlsClientContext>> create(TlsClientOptions, Clock const&);
    ~TlsClientContext();

    Result<> replace_identity(TlsIdentity const&);
    Result<> replace_roots(std::vector<Bytes> const& roots);

    // unauthenticated: the server is not who it must be. `host` is sent as server name if it is a DNS name.
    Task<Result<std::unique_ptr<Stream>>> connect(std::unique_ptr<Stream> plain, std::string host) const;

private:
    struct State;
    explicit TlsClientContext(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

} // namespace writ::net
