// SPDX-License-Identifier: Apache-2.0
//
// Memory for large tables that are looked into at random: on pages of 2 MiB where the kernel gives them, since with small ones each look waits for the
// page table too. Small tables come from the heap as ever. https://docs.kernel.org/admin-guide/mm/transhuge.html
#pragma once

#include <cstddef>
#include <new>

namespace writ {

void* allocate_for_table(std::size_t bytes, std::size_t alignment); // nullptr: no memory
void free_table(void*);

template <typename T> struct HugePageAllocator {
    using value_type = T;
    HugePageAllocator() = default;
    template <typename U> HugePageAllocator(HugePageAllocator<U> const&) { } // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t count)
    {
        if (auto* const memory = allocate_for_table(count * sizeof(T), alignof(T)))
            return static_cast<T*>(memory);
        throw std::bad_alloc();
    }
    void deallocate(T* memory, std::size_t) { free_table(memory); }
    bool operator==(HugePageAllocator const&) const = default;
};

} // namespace writ
