// SPDX-License-Identifier: Apache-2.0
//
// Secrets of other systems that have to exist. Each version is sealed with a key of its own, and that with the key-encryption key (envelope), so that the
// latter can be changed, or live elsewhere, without touching a value. A value leaves by open() alone, for an issuer that was decided on.
#pragma once

#include "base/random.h"
#include "issue/credential_issuer.h"
#include "store/store.h"

#include <memory>
#include <set>

namespace writ::authority {

// LIMIT: keys and tokens have some 20 to 4000 bytes; a service account's JSON has 3 KiB.
inline constexpr std::size_t secret_bytes_max = 64U << 10U;
inline constexpr std::size_t secrets_max = 10'000;
// LIMIT: versions of one secret that are kept; the oldest goes when one more comes.
inline constexpr std::uint64_t secret_versions_max = 10;

class SecretKeeper {
public:
    // REQUIRES: the store outlives it.
    SecretKeeper(store::SecretStore& store, SecretBytes key_encryption_key, RandomSource& random)
        : store_(store)
        , key_encryption_key_(std::move(key_encryption_key))
        , random_(random)
    {
    }
    SecretKeeper(SecretKeeper const&) = delete;
    SecretKeeper& operator=(SecretKeeper const&) = delete;

    // invalid_argument: no name, or no value that a file or a variable could hold.
    static Result<> check(std::string_view name, SecretText const& value);

    // Held from before a change is on record until it is in the store, so that none is on record that another one forestalled. Ends with the last pointer.
    // conflict: somebody is changing this secret.
    Result<std::shared_ptr<void const>> begin_change(std::string const& name);

    // The version that add() would make. conflict: put() of one that is there; not_found: rotation of one that is not.
    Result<std::uint64_t> next_version(std::string const& name, bool is_rotation);
    // INVARIANT: one transaction: before it the old version is the newest, after it the new one.
    Result<> add(std::string const& name, std::uint64_t version, SecretText const& value, Timestamp now);
    Result<> remove(std::string const& name) { return store_.remove(name); }
    // Names, versions and times; never a value.
    Result<std::vector<store::SecretStore::SealedSecret>> list() { return store_.list(secrets_max * secret_versions_max); }

    Result<issue::StoredSecret> open(std::string const& name);

    // The key-encryption key was changed in the store.
    void use_key(SecretBytes key_encryption_key) { key_encryption_key_ = std::move(key_encryption_key); }
    [[nodiscard]] SecretBytes const& key_encryption_key() const { return key_encryption_key_; }

    // For what is kept elsewhere: sealed for one place, and opened nowhere else.
    [[nodiscard]] Bytes seal(std::string const& place, SecretText const& text) const;
    [[nodiscard]] Result<SecretText> unseal(std::string const& place, BytesView sealed) const;

private:
    store::SecretStore& store_;
    SecretBytes key_encryption_key_;
    RandomSource& random_;
    std::set<std::string> changing_;
};

} // namespace writ::authority
