// SPDX-License-Identifier: Apache-2.0
#include "audit/record_items.h"

#include "audit/record.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

using Names = std::vector<std::string_view>;

std::string ids(std::vector<RecordedItem> const& items)
{
    std::string text;
    for (auto const& item : items)
        text += item.type + "/" + item.id + (item.allowed ? "+ " : "- ");
    return text;
}

TEST(RecordItems, are_read_as_they_were_written)
{
    ItemWriter writer;
    Names const allowing { "a", "b\"c" }, erring { "errs" };
    writer.add("lake/1", { "Dataset", true, allowing, {} });
    writer.add("fraud", { "Model", false, {}, erring });
    auto const items = parse_items(writer.take()).value();
    EXPECT_EQ(ids(items), "Dataset/lake/1+ Model/fraud- ");
    EXPECT_EQ(items[0].policies, (std::vector<std::string> { "a", "b\"c" }));
    EXPECT_EQ(items[1].policy_errors, std::vector<std::string> { "errs" });
    EXPECT_EQ(writer.size(), 0U);
}

TEST(RecordItems, say_what_they_have_in_common_once)
{
    ItemWriter writer;
    Names const allowing { "p" };
    for (auto const* const id : { "1", "2", "-3", "4", "-5", "-6", "7" }) {
        bool const allowed = *id != '-';
        writer.add(id, { "Dataset", allowed, allowed ? allowing : Names(), {} });
    }
    auto const text = writer.take();
    EXPECT_EQ(text, R"([{"type":"Dataset","decision":"allow","policies":["p"]},"1","2",{"type":"Dataset","decision":"deny"},"-3",0,"4",1,"-5","-6",0,"7"])");
    EXPECT_EQ(ids(parse_items(text).value()), "Dataset/1+ Dataset/2+ Dataset/-3- Dataset/4+ Dataset/-5- Dataset/-6- Dataset/7+ ");
    EXPECT_EQ(count_items(parse_json(text)->as_array()), 7U);
}

TEST(RecordItems, say_whose_resource_nobody_declared)
{
    ItemWriter writer;
    for (auto const* const id : { "1", "?2", "3", "?4" })
        writer.add(id, { "Dataset", true, {}, {}, *id == '?' });
    Record record;
    record.items = writer.take();
    EXPECT_EQ(record.items, R"([{"type":"Dataset","decision":"allow"},"1",{"type":"Dataset","decision":"allow","asserted":["resource"]},"?2",0,"3",1,"?4"])");
    using Texts = std::vector<std::string>;
    record.asserted = { "workload", "model" };
    auto const singles = single_records(record).value();
    EXPECT_EQ(singles[0].asserted, record.asserted);
    EXPECT_EQ(singles[1].asserted, (Texts { "workload", "resource", "model" }));
    EXPECT_EQ(singles[2].asserted, record.asserted);
    record.asserted = {};
    EXPECT_EQ(single_records(record).value()[3].asserted, Texts { "resource" });
}

TEST(RecordItems, of_many_outcomes_are_read_as_they_were_written)
{
    ItemWriter writer;
    std::string wanted;
    for (int i = 0; i < 200; ++i) {
        auto const type = "T" + std::to_string(i * 7 % 40);
        writer.add(std::to_string(i), { type, i % 3 == 0, {}, {} });
        wanted += type + "/" + std::to_string(i) + (i % 3 == 0 ? "+ " : "- ");
    }
    EXPECT_EQ(ids(parse_items(writer.take()).value()), wanted);
}

TEST(RecordItems, have_version_digest_and_alias_where_they_are_known)
{
    ItemWriter writer;
    ItemOutcome const outcome { "DatasetVersion", true, {}, {} };
    writer.add(RecordedEntity { "DatasetVersion", "lake@7", "7", "sha256:aa", "latest" }, outcome);
    writer.add(RecordedEntity { "DatasetVersion", "lake@8", "8", "" }, outcome);
    auto const items = parse_items(writer.take()).value();
    EXPECT_EQ(items[0].version + items[0].digest + items[0].alias, "7sha256:aalatest");
    EXPECT_EQ(ids(items), "DatasetVersion/lake@7+ DatasetVersion/lake@8+ ");
    EXPECT_EQ(items[1].digest, "");
}

TEST(RecordItems, are_bounded_whatever_their_texts)
{
    ItemWriter writer;
    std::string const nasty(100'000, '\x01');
    Names const names(1000, nasty);
    writer.add(nasty, { nasty, false, names, names });
    EXPECT_LT(writer.size(), 64'000U);
    EXPECT_TRUE(writer.is_full());
    auto const items = parse_items(writer.take());
    ASSERT_TRUE(items.is_ok());
    EXPECT_EQ(items->front().policies.size(), 17U);
    EXPECT_EQ(items->front().policies.back(), "\xE2\x80\xA6");
    EXPECT_FALSE(writer.is_full());
    for (std::size_t i = 0; i < items_max; ++i)
        writer.add("x", { "T", true, {}, {} });
    EXPECT_TRUE(writer.is_full());
    EXPECT_EQ(parse_items(writer.take())->size(), items_max);
}

TEST(RecordItems, may_each_be_whole)
{
    auto const items = parse_items(R"([{"type":"A","id":"1","decision":"allow","policies":["p"]},{"type":"B","id":"2","decision":"deny"}])").value();
    EXPECT_EQ(ids(items), "A/1+ B/2- ");
    EXPECT_EQ(items[0].policies, std::vector<std::string> { "p" });
    EXPECT_TRUE(items[1].policies.empty());
}

TEST(RecordItems, refuses_what_it_does_not_write)
{
    std::string const outcome = R"({"type":"A","decision":"deny"})";
    std::string too_many = "[" + outcome;
    for (std::size_t i = 0; i <= items_max; ++i)
        too_many += ",\"\"";
    for (auto const& text : std::vector<std::string> { "", "{}", "[1]", "[0]", "[{}]", R"(["a"])", R"([{"id":"b"}])", R"([{"type":"A","id":"b"}])", R"([{"type":"A","decision":"maybe"}])",
             R"([{"decision":"deny"}])", R"([{"type":"A","id":1,"decision":"deny"}])", R"([{"type":"A","decision":"deny","policies":[1]}])", "[" + outcome + ",1]",
             "[" + outcome + ",-1]", "[" + outcome + ",0.5]", "[" + outcome + ",null]", "[" + outcome + ",[\"a\"]]", too_many + "]" })
        EXPECT_EQ(parse_items(text).error().code, ErrorCode::corruption) << text.substr(0, 100);
}

TEST(RecordItems, are_a_member_of_their_record)
{
    ItemWriter writer;
    writer.add("lake/1", { "Dataset", true, {}, {} });
    Record record;
    record.items = writer.take();
    EXPECT_EQ(parse_record(to_json_text(record)).value().items, record.items);
}

TEST(RecordItems, become_records_of_their_own)
{
    ItemWriter writer;
    Names const allowing { "a" };
    writer.add(RecordedEntity { "DatasetVersion", "lake@7", "7", "sha256:aa" }, { "DatasetVersion", true, allowing, {} });
    writer.add("other", { "Dataset", false, {}, {} });
    Record record;
    record.workload = "spiffe://acme.ai/train";
    record.action = "read";
    record.items = writer.take();
    auto const singles = single_records(record).value();
    ASSERT_EQ(singles.size(), 2U);
    EXPECT_EQ(singles[0].resource, (RecordedEntity { "DatasetVersion", "lake@7", "7", "sha256:aa" }));
    EXPECT_EQ(singles[0].policies, std::vector<std::string> { "a" });
    EXPECT_EQ(singles[1].allowed, false);
    for (auto const& single : singles)
        EXPECT_EQ(single.workload + single.action + single.items, record.workload + "read");
    record.items.clear();
    EXPECT_EQ(single_records(record).value().size(), 1U);
}

} // namespace
} // namespace writ::audit
