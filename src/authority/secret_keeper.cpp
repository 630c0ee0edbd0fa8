// SPDX-License-Identifier: Apache-2.0
#include "authority/secret_keeper.h"

#include "authority/sealed_names.h"
#include "base/utf8.h"
#include "crypto/aead.h"

namespace writ::authority {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t name_length_max = 200;

// Without a copy of it.
bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        if (!take_code_point(text))
            return false;
    }
    return true;
}

} // namespace

Result<> SecretKeeper::check(std::string_view name, SecretText const& value)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    if (name.empty() || name.size() > name_length_max || name.find_first_not_of(allowed) != std::string_view::npos)
        return invalid_argument("a secret's name has letters, digits and -_./ only, at most " + std::to_string(name_length_max));
    auto const& text = value.reveal();
    if (text.empty() || text.size() > secret_bytes_max)
        return invalid_argument("a secret has 1 to " + std::to_string(secret_bytes_max) + " bytes");
    if (text.find('\0') != std::string::npos || !is_utf8(text))
        return invalid_argument("a secret is UTF-8 without NUL: it becomes a file or a variable");
    return {};
}

Result<std::shared_ptr<void const>> SecretKeeper::begin_change(std::string const& name)
{
    if (!changing_.insert(name).second)
        return conflict("secret `" + name + "` is being changed by somebody else; ask again");
    return std::shared_ptr<void const>(&changing_, [this, name](void const*) { changing_.erase(name); });
}

Result<std::uint64_t> SecretKeeper::next_version(std::string const& name, bool is_rotation)
{
    auto const newest = store_.newest(name);
    if (newest.is_error() && newest.error().code != ErrorCode::not_found)
        return newest.error();
    if (newest.is_error() && is_rotation)
        return newest.error();
    if (newest.is_ok() && !is_rotation)
        return conflict("secret `" + name + "` is there; `writ secret rotate` replaces it");
    if (newest.is_error() && TRY(store_.count_names()) >= secrets_max)
        return resource_exhausted("there are " + std::to_string(secrets_max) + " secrets already");
    return newest.is_ok() ? newest->version + 1 : 1;
}

Result<> SecretKeeper::add(std::string const& name, std::uint64_t version, SecretText const& value, Timestamp now)
{
    SecretBytes const key(random_.bytes(key_bytes));
    auto const sealed_key = crypto::seal(key_encryption_key_, key.reveal(), as_bytes(sealed_secret_name("key", name, version)), random_);
    auto const sealed = crypto::seal(key, as_bytes(value.reveal()), as_bytes(sealed_secret_name("value", name, version)), random_);
    return store_.add({ name, version, sealed_key, sealed, now }, version > secret_versions_max ? version - secret_versions_max : 0);
}

Result<issue::StoredSecret> SecretKeeper::open(std::string const& name)
{
    auto const stored = TRY(store_.newest(name));
    auto const what = "secret `" + name + "`";
    auto const key = TRY(crypto::open(key_encryption_key_, stored.key, as_bytes(sealed_secret_name("key", name, stored.version))).in(what));
    auto const value = TRY(crypto::open(key, stored.sealed, as_bytes(sealed_secret_name("value", name, stored.version))).in(what));
    return issue::StoredSecret { SecretText(std::string(as_text(value.reveal()))), stored.version };
}

Bytes SecretKeeper::seal(std::string const& place, SecretText const& text) const
{
    return crypto::seal(key_encryption_key_, as_bytes(text.reveal()), as_bytes(sealed_place_name(place)), random_);
}

Result<SecretText> SecretKeeper::unseal(std::string const& place, BytesView sealed) const
{
    auto const opened = TRY(crypto::open(key_encryption_key_, sealed, as_bytes(sealed_place_name(place))).in(place));
    return SecretText(std::string(as_text(opened.reveal())));
}

} // namespace writ::authority
