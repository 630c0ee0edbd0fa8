// SPDX-License-Identifier: Apache-2.0
#include "agent/run_key.h"

#include "crypto/ssh.h"

namespace writ::agent {

crypto::PrivateKey make_run_key()
{
    auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
    ASSERT(key.is_ok()); // OpenSSL without memory, or without entropy
    return std::move(key).value();
}

Result<SecretText> with_run_key(SecretText const& document, crypto::PrivateKey const& key)
{
    auto object = TRY(parse_json_object(document.reveal()));
    auto const& place = *TRY(object_member(object, "key_file"));
    JsonObject file { { "name", TRY(string_member(place, "name")) }, { "variable", TRY(string_member(place, "variable")) },
        { "content", crypto::ssh_private_key(key).reveal() } };
    TRY(array_member(object, "files"));
    // Before its certificate, so that no certificate is there for a key that is not.
    auto& files = object.at("files").as_array();
    files.insert(files.begin(), std::move(file));
    return SecretText(to_text(object));
}

} // namespace writ::agent
