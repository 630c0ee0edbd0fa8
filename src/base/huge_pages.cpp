// SPDX-License-Identifier: Apache-2.0
#include "base/huge_pages.h"

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

namespace writ {

void* allocate_for_table(std::size_t bytes, std::size_t alignment)
{
    static constexpr std::size_t huge_page_bytes = 2U << 20U;
    bool const is_large = bytes >= huge_page_bytes;
    auto const boundary = std::max(is_large ? huge_page_bytes : alignof(std::max_align_t), alignment);
    auto const rounded = (bytes + boundary - 1) / boundary * boundary;
    auto* const memory = std::aligned_alloc(boundary, rounded);
    // Advice only: where it is not taken, the memory serves as well, and slower.
    if (memory != nullptr && is_large)
        static_cast<void>(::madvise(memory, rounded, MADV_HUGEPAGE));
    return memory;
}

void free_table(void* memory) { std::free(memory); }

} // namespace writ
