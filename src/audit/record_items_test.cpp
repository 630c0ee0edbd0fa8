// SPDX-License-Identifier: Apache-2.0
#include "audit/record_items.h"

#include "audit/record.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

using Names = std::vector<std::string_view>;

TEST(RecordItems, are_read_as_they_were_written)
{
    ItemWriter writer;
    writer.add("Dataset", "lake/1", true, Names { "a", "b\"c" }, {});
    writer.add("Model", "fraud", false, {}, Names { "errs" });
    auto const items = parse_items(writer.take()).value();
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[0].type + "/" + items[0].id, "Dataset/lake/1");
    EXPECT_TRUE(items[0].allowed);
    EXPECT_EQ(items[0].policies, (std::vector<std::string> { "a", "b\"c" }));
    EXPECT_FALSE(items[1].allowed);
    EXPECT_EQ(items[1].policy_errors, std::vector<std::string> { "errs" });
    EXPECT_EQ(writer.size(), 0U);
}

TEST(RecordItems, an_item_is_bounded_whatever_its_texts)
{
    ItemWriter writer;
    std::string const nasty(100'000, '\x01');
    writer.add(nasty, nasty, false, Names(1000, nasty), Names(1000, nasty));
    EXPECT_LT(writer.size(), 64'000U);
    auto const items = parse_items(writer.take());
    ASSERT_TRUE(items.is_ok());
    EXPECT_EQ(items->front().policies.size(), 17U);
    EXPECT_EQ(items->front().policies.back(), "\xE2\x80\xA6");
}

TEST(RecordItems, refuses_what_it_does_not_write)
{
    for (auto const* const text : { "", "{}", "[1]", "[{}]", R"([{"type":"A","id":"b"}])", R"([{"type":"A","id":"b","decision":"maybe"}])",
             R"([{"type":"A","id":1,"decision":"deny"}])", R"([{"type":"A","id":"b","decision":"deny","policies":[1]}])" })
        EXPECT_EQ(parse_items(text).error().code, ErrorCode::corruption) << text;
}

TEST(RecordItems, are_a_member_of_their_record)
{
    ItemWriter writer;
    writer.add("Dataset", "lake/1", true, Names { "a" }, {});
    Record record;
    record.items = writer.take();
    EXPECT_EQ(parse_record(to_json_text(record)).value().items, record.items);
}

TEST(RecordItems, become_records_of_their_own)
{
    ItemWriter writer;
    writer.add("DatasetVersion", "lake@7", true, Names { "a" }, {});
    writer.add("Dataset", "other", false, {}, {});
    Record record;
    record.workload = "spiffe://acme.ai/train";
    record.action = "read";
    record.items = writer.take();
    auto const singles = single_records(record).value();
    ASSERT_EQ(singles.size(), 2U);
    EXPECT_EQ(singles[0].resource, (RecordedEntity { "DatasetVersion", "lake@7", "7", "" }));
    EXPECT_EQ(singles[0].policies, std::vector<std::string> { "a" });
    EXPECT_EQ(singles[1].allowed, false);
    for (auto const& single : singles)
        EXPECT_EQ(single.workload + single.action + single.items, record.workload + "read");
    record.items.clear();
    EXPECT_EQ(single_records(record).value().size(), 1U);
}

} // namespace
} // namespace writ::audit
