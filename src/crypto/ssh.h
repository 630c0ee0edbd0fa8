// SPDX-License-Identifier: Apache-2.0
//
// OpenSSH's forms of Ed25519 keys and user certificates. SPEC: OpenSSH's PROTOCOL.certkeys, PROTOCOL.key; RFC 8709.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "crypto/key.h"

#include <map>
#include <set>
#include <vector>

namespace writ::crypto {

struct SshCertificate {
    std::uint64_t serial = 0;
    std::string key_id; // what the server's log says of who logged in
    std::vector<std::string> principals; // SECURITY: never empty, which would be everybody
    Timestamp valid_after, valid_before; // whole seconds; the end is not in it
    std::map<std::string, std::string> critical_options; // `force-command`: what a server that does not know one refuses
    std::set<std::string> extensions; // `permit-pty`
};

// `ssh-ed25519 AAAA… comment`. REQUIRES: an Ed25519 key; the comment has no line end.
std::string ssh_public_key(PublicKey const&, std::string_view comment);

// A line like that of a key, without line end. invalid_argument: no Ed25519 keys, nobody whom it is for, or no time when it is good.
Result<std::string> certify_ssh(SshCertificate const&, PublicKey const& subject, PrivateKey const& authority, RandomSource&);

// `-----BEGIN OPENSSH PRIVATE KEY-----`, without passphrase. REQUIRES: an Ed25519 key.
SecretText ssh_private_key(PrivateKey const&);

} // namespace writ::crypto
