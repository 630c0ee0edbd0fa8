// SPDX-License-Identifier: Apache-2.0
//
// The key that seals the others: `kek` beside the database, 32 bytes. SECURITY: a copy of the database alone opens nothing.
//
// Its change survives a kill at any moment: the new key is durable as `kek.next`; all that is sealed is sealed anew, in one transaction; the file takes its name. A start that
// finds `kek.next` does the rest, whichever of the two keys each thing is sealed with by then. So an operator may put a key of their own there, and start.
#pragma once

#include "base/durable_file.h"
#include "base/random.h"
#include "base/secret.h"
#include "store/store.h"

namespace writ::authority {

// Makes one the first time, when nothing is sealed yet. corruption: a file of another size, or none where something is sealed, or something that neither key opens; nothing is changed then.
Result<SecretBytes> open_key_encryption_key(Path const& data_folder, store::SealedStore&, RandomSource&);

// A new key, and everything sealed with it. What sealed until now is to forget the old key at once.
Result<SecretBytes> change_key_encryption_key(Path const& data_folder, store::SealedStore&, SecretBytes const& current, RandomSource&);

} // namespace writ::authority
