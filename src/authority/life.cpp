// SPDX-License-Identifier: Apache-2.0
#include "authority/life.h"

#include <cerrno>
#include <unistd.h>

namespace writ::authority {

// Taking a file away works on a full disk too, where writing one does not.
Result<Life> Life::begin(Path ended_file, std::uint64_t records)
{
    auto const removed = ::unlink(ended_file.c_str());
    if (removed != 0 && errno != ENOENT)
        return errno_error("remove `" + ended_file.string() + "`", errno);
    if (removed == 0)
        TRY(sync_folder(ended_file.parent_path()));
    auto const* const last = removed == 0 ? "the last life ended cleanly" : records == 0 ? "its first life" : "the last life was cut off";
    return Life(std::move(ended_file), last);
}

Result<> Life::end() const { return replace_file(ended_file_, as_bytes("the authority ended cleanly\n")); }

} // namespace writ::authority
