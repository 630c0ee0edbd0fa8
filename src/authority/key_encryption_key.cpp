// SPDX-License-Identifier: Apache-2.0
#include "authority/key_encryption_key.h"

#include "authority/sealed_names.h"
#include "base/logger.h"
#include "crypto/aead.h"

namespace writ::authority {

namespace {

constexpr std::size_t key_bytes = 32;

Path current_file(Path const& folder) { return folder / "kek"; }
Path next_file(Path const& folder) { return folder / "kek.next"; }

Result<SecretBytes> read_key(Path const& file)
{
    SecretBytes key(TRY(read_file(file, 1024)));
    if (key.reveal().size() != key_bytes)
        return corruption("`" + file.string() + "` is no key of 32 bytes");
    return key;
}

std::string associated_with(store::SealedStore::Item const& item)
{
    using enum store::SealedStore::Kind;
    switch (item.kind) {
    case key: return item.name;
    case secret: return sealed_secret_key_name(item.name, item.version);
    case lease: return sealed_place_name(item.name);
    }
    ASSERT(false);
}

// Whichever of the two it was sealed with: a transaction that was reported lost may have been kept.
Result<> seal_anew(store::SealedStore& sealed, SecretBytes const& old_key, SecretBytes const& new_key, RandomSource& random)
{
    return sealed.replace([&](store::SealedStore::Item const& item) -> Result<Bytes> {
        auto const associated = associated_with(item);
        auto opened = crypto::open(old_key, item.sealed, as_bytes(associated));
        if (opened.is_error())
            opened = crypto::open(new_key, item.sealed, as_bytes(associated));
        auto const value = TRY(std::move(opened).in("`" + item.name + "`"));
        return crypto::seal(new_key, value.reveal(), as_bytes(associated), random);
    });
}

// INVARIANT: one that is there is not replaced: an attempt that failed may have sealed everything with it.
Result<SecretBytes> open_or_create_next(Path const& folder, RandomSource& random)
{
    auto left = read_key(next_file(folder));
    if (left.is_ok() || left.error().code != ErrorCode::not_found)
        return left;
    SecretBytes key(random.bytes(key_bytes));
    TRY(create_file(next_file(folder), key.reveal(), 0600));
    return key;
}

// A new key would open nothing that there is, and stand where the lost one has to be put back.
Result<> check_nothing_is_sealed(store::SealedStore& sealed, Path const& missing)
{
    return sealed.replace([&missing](store::SealedStore::Item const&) -> Result<Bytes> {
        return corruption("`" + missing.string() + "` is missing, and what the database keeps is sealed with it: put it back from where it was saved");
    });
}

Result<> take_into_use(Path const& folder, SecretBytes const& key)
{
    TRY(replace_file(current_file(folder), key.reveal(), 0600));
    std::error_code error;
    std::filesystem::remove(next_file(folder), error); // what stays is the key in use: the next start finds nothing to do
    return sync_folder(folder);
}

} // namespace

Result<SecretBytes> open_key_encryption_key(Path const& folder, store::SealedStore& sealed, RandomSource& random)
{
    auto current = read_key(current_file(folder));
    auto next = read_key(next_file(folder));
    if (current.is_error() && current.error().code != ErrorCode::not_found)
        return current.error();
    if (next.is_error() && next.error().code != ErrorCode::not_found)
        return next.error();
    if (next.is_ok()) {
        TRY(seal_anew(sealed, current.is_ok() ? *current : *next, *next, random).in("change of the key-encryption key"));
        TRY(take_into_use(folder, *next));
        log_info("the key-encryption key was changed", { { "file", current_file(folder).string() } });
        return std::move(next).value();
    }
    if (current.is_ok())
        return std::move(current).value();
    TRY(check_nothing_is_sealed(sealed, current_file(folder)));
    SecretBytes key(random.bytes(key_bytes));
    TRY(create_file(current_file(folder), key.reveal(), 0600));
    return key;
}

Result<SecretBytes> change_key_encryption_key(Path const& folder, store::SealedStore& sealed, SecretBytes const& current, RandomSource& random)
{
    auto const key = TRY(open_or_create_next(folder, random));
    TRY(seal_anew(sealed, current, key, random));
    // INVARIANT: from here on the database has the new key alone. If the file cannot take its name, the next start gives it.
    if (auto const taken = take_into_use(folder, key); taken.is_error())
        log_error("the new key-encryption key is in `kek.next` until the next start", { { "error", taken.error().message } });
    return key.duplicate();
}

} // namespace writ::authority
