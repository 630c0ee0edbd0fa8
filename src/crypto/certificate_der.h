// SPDX-License-Identifier: Apache-2.0
//
// The parts of a certificate (RFC 5280 §4.1) as DER, for those who issue them. Private to this folder.
#pragma once

#include "base/clock.h"
#include "crypto/key.h"

#include <string_view>

namespace writ::crypto {

struct CertificateFields {
    BytesView serial;
    BytesView issuer; // a Name, encoded
    BytesView subject;
    Timestamp not_before, not_after;
    BytesView spki;
    BytesView extensions; // one after another, encoded
};
// Writes the fields and signs them.
Result<Bytes> sign_certificate(CertificateFields const&, PrivateKey const&);

Bytes encode_common_name(std::string_view utf8); // a Name of this one attribute
Bytes encode_ca_extensions();                    // basic constraints, key usage
Bytes encode_leaf_extensions(bool server_auth, bool client_auth);
// `general_names`: of append_general_name().
void append_subject_alternative_name(Bytes& extensions, BytesView general_names, bool is_critical);
void append_subject_key_identifier(Bytes& extensions, BytesView identifier);
void append_authority_key_identifier(Bytes& extensions, BytesView identifier);
Bytes key_identifier(BytesView spki);

Result<> append_uri(Bytes& general_names, std::string_view uri);
Result<> append_dns_name(Bytes& general_names, std::string_view name);
Result<> append_ip_address(Bytes& general_names, std::string_view address);

// invalid_argument unless it has 1 to 20 bytes and is not zero; the first bit is cleared.
Result<Bytes> checked_serial(BytesView);

} // namespace writ::crypto
