// SPDX-License-Identifier: Apache-2.0
//
// Files that survive kill -9 and power loss at any instruction. Errors name the path.
#pragma once

#include "base/bytes.h"

#include <filesystem>
#include <sys/types.h>

namespace writ {

using Path = std::filesystem::path;

// The whole of a file of at most size_max bytes; not_found if there is none, resource_exhausted if it is larger.
Result<Bytes> read_file(Path const&, std::size_t size_max = std::size_t(64) << 20U);
// The same of what others put there and nobody named: never waits, as for a FIFO's other end. invalid_argument: it is no regular file.
Result<Bytes> read_regular_file(Path const&, std::size_t size_max);

// Replaces a file at once: after a return of success the new bytes are there after any crash; after an error or a crash
// either the old or the new ones are, never a mixture. Writes beside it, fsync, rename, fsync of the folder.
Result<> replace_file(Path const&, BytesView, mode_t mode = 0600);

// Creates a file that must not be there yet, with all of its bytes or not at all; conflict if it exists.
Result<> create_file(Path const&, BytesView, mode_t mode = 0600);

// Creates a folder (and its parents with the same mode) durably. An existing folder is well and keeps its mode.
Result<> create_folder(Path const&, mode_t mode = 0700);

Result<> sync_folder(Path const&);

} // namespace writ
