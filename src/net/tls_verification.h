// SPDX-License-Identifier: Apache-2.0
//
// Whether the other side of a handshake is who it should be: its path, at this moment, and its name. Private to net's tls*.
#pragma once

#include "base/clock.h"
#include "net/tls_openssl.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace writ::net {

using TlsRoots = std::shared_ptr<std::vector<X509Ptr> const>;

// Who the other side must be; what is empty is not asked.
struct ExpectedPeer {
    std::optional<Bytes> pinned_root_sha256;
    std::string spiffe_id;
    std::string spiffe_id_path;
    std::string name; // DNS name or IP address
};

// What one handshake is checked against, and why it failed. Lives until the handshake is over.
struct PeerVerification {
    TlsRoots roots;
    ExpectedPeer expected;
    Timestamp now;
    std::string problem;
};

// Makes handshakes of this context call for a PeerVerification.
void require_peer_verification(SSL_CTX*);
// `verification` must outlive the handshake.
void set_peer_verification(SSL*, PeerVerification* verification);

// The SPIFFE ID of a leaf, if the certificate is an X.509-SVID's leaf at all (SPIFFE X509-SVID §2 and §4): one URI, no CA.
std::string spiffe_id_of(X509* leaf);

} // namespace writ::net
