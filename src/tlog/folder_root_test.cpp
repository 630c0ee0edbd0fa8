// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_root.h"

#include "tlog/log_fixture.h"

namespace writ::tlog {
namespace {

class FolderRoot : public LogFolder { };

TEST_F(FolderRoot, is_that_of_every_earlier_size)
{
    constexpr std::uint64_t published = 600;
    {
        auto const log = open().value();
        fill(*log, published);
    }
    TreeEdge edge;
    for (std::uint64_t size = 0; size <= published; ++size) {
        ASSERT_EQ(root_at(log_folder(), size, published).value(), edge.root()) << size;
        edge.append(leaf_hash(as_bytes(text_of(size))));
    }
    EXPECT_TRUE(root_at(log_folder(), published + 1, published).is_error());
}

} // namespace
} // namespace writ::tlog
