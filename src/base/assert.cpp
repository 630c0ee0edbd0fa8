// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace writ {

void assertion_failed(char const* condition, char const* file, int line)
{
    std::fprintf(stderr, "writ: broken invariant `%s` at %s:%d\n", condition, file, line);
    std::abort();
}

} // namespace writ
