// SPDX-License-Identifier: Apache-2.0
//
// ASSERT(condition): a broken invariant ends the process, in release builds too. Never on what the network can cause.
#pragma once

namespace writ {

[[noreturn]] void assertion_failed(char const* condition, char const* file, int line);

} // namespace writ

#define ASSERT(condition)                                                                                                             \
    do {                                                                                                                              \
        if (!(condition)) [[unlikely]]                                                                                                \
            ::writ::assertion_failed(#condition, __FILE_NAME__, __LINE__);                                                            \
    } while (false)
