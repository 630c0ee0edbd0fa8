// SPDX-License-Identifier: Apache-2.0
#include "audit/index.h"

#include "audit/index_signature.h"
#include "audit/record_items.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace writ::audit {
namespace {

constexpr auto epoch = 1'800'000'000;

class IndexTest : public testing::Test {
protected:
    IndexTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-index-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        index_ = Index::open(folder_ / "index.db").value();
    }
    ~IndexTest() override { std::filesystem::remove_all(folder_); }

    void add(Record const& record)
    {
        auto const text = to_json_text(record);
        ASSERT_TRUE(scanner_.scan(text, scanned_)) << text;
        ASSERT_TRUE(index_->add(&scanned_).is_ok());
    }

    // One record a second: decisions of `run-<n / 10>`, of which every third is denied.
    static Record numbered(std::uint64_t n)
    {
        Record record;
        record.time = from_unix_seconds(epoch + static_cast<std::int64_t>(n));
        record.workload = "spiffe://acme.ai/x";
        record.workload_name = "x";
        record.run = "run-" + std::to_string(n / 10);
        record.action = "read";
        record.allowed = n % 3 != 0;
        record.resource = RecordedEntity { "Dataset", "biopsies", "", "" };
        return record;
    }
    void add_numbered(std::uint64_t count)
    {
        for (auto n = index_->next(); count > 0; ++n, --count)
            add(numbered(n));
    }

    std::vector<std::uint64_t> find(IndexQuery const& query, std::size_t limit = 10)
    {
        std::vector<std::uint64_t> found;
        index_
            ->find(query,
                [&](std::uint64_t sequence) -> Result<bool> {
                    found.push_back(sequence);
                    return found.size() < limit;
                })
            .value();
        return found;
    }
    void reopen()
    {
        index_.reset();
        index_ = Index::open(folder_ / "index.db").value();
    }

    using Found = std::vector<std::uint64_t>;
    Path folder_;
    RecordScanner scanner_;
    ScannedRecord scanned_;
    std::unique_ptr<Index> index_;
};

Term const any_decision_denied = term_of(TermKind::decision, "deny");
Term const biopsies = term_of(TermKind::use, "biopsies", "Dataset");

} // namespace

TEST_F(IndexTest, finds_records_by_all_terms_in_both_directions)
{
    add_numbered(25);
    EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-1"), any_decision_denied } }), (Found { 18, 15, 12 }));
    EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-1"), any_decision_denied }, .from = 13, .oldest_first = true }), (Found { 15, 18 }));
    EXPECT_EQ(find({ .terms = {}, .before = 3 }), (Found { 2, 1, 0 }));
    EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-9") } }), Found {});
    EXPECT_EQ(find({ .terms = { term_of(TermKind::workload, "x") } }, 2), (Found { 24, 23 }));
    EXPECT_EQ(find({ .terms = { term_of(TermKind::workload, "run-1") } }), Found {}); // a text of another kind
}

TEST_F(IndexTest, an_entry_that_is_no_record_has_its_place_and_is_not_found)
{
    add_numbered(1);
    index_->add(nullptr).value();
    add_numbered(1);
    EXPECT_EQ(index_->next(), 3U);
    EXPECT_EQ(find({ .terms = {} }), (Found { 2, 0 }));
}

// Sealed segments, what is behind them in memory, and what a restart has to read anew.
TEST_F(IndexTest, segments_are_sealed_and_survive)
{
    std::uint64_t const size = 2 * segment_records + 100;
    add_numbered(size);
    IndexQuery const rare { .terms = { term_of(TermKind::run, "run-7") } };
    IndexQuery const across { .terms = { any_decision_denied }, .before = segment_records + 2 };
    auto const check = [&] {
        EXPECT_EQ(find(rare), (Found { 79, 78, 77, 76, 75, 74, 73, 72, 71, 70 }));
        EXPECT_EQ(find(across, 3), (Found { segment_records + 1, segment_records - 2, segment_records - 5 }));
    };
    check();
    reopen();
    EXPECT_EQ(index_->next(), 2 * segment_records);
    add_numbered(100);
    check();
    EXPECT_EQ(find({ .terms = {} }, 1), Found { size - 1 });

    auto const read_only = Index::open_read_only(folder_ / "index.db").value();
    EXPECT_EQ(read_only->next(), 2 * segment_records);
}

// Few records in many segments: most of those are not looked into.
TEST_F(IndexTest, what_few_of_many_segments_have_is_found_in_each_of_them)
{
    constexpr std::uint32_t segments = signature_segments + 7;
    Found expected;
    for (std::uint64_t n = 0; n < std::uint64_t(segments) * segment_records; ++n) {
        auto const segment = n / segment_records;
        auto record = numbered(n);
        record.run = segment % 7 == 3 ? "run-shared" : "run-" + std::to_string(segment);
        if (n % segment_records != 5)
            ASSERT_TRUE(index_->add(nullptr).is_ok());
        else
            add(record);
        if (n % segment_records == 5 && segment % 7 == 3)
            expected.push_back(n);
    }
    for (auto const is_reopened : { false, true }) {
        if (is_reopened) { // without what is not sealed: the last segment's
            reopen();
            ASSERT_EQ(expected.back() / segment_records, segments - 1);
            expected.pop_back();
        }
        IndexQuery shared { .terms = { term_of(TermKind::run, "run-shared"), term_of(TermKind::workload, "x") } };
        shared.oldest_first = true;
        for (int time = 0; time < 3; ++time) { // the last segments' signatures are made when they are asked for once more
            EXPECT_EQ(find(shared, 100), expected);
            for (std::uint64_t segment : { 0U, 30U, 31U, 32U, 33U, 36U })
                if (segment % 7 != 3)
                    EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-" + std::to_string(segment)) } }), (Found { segment * segment_records + 5 }));
            EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-nowhere") } }), Found {});
        }
        auto const used = std::find_if(expected.rbegin(), expected.rend(), [](auto n) { return numbered(n).allowed == true; });
        EXPECT_EQ(index_->uses(term_of(TermKind::use, "run-shared", "run"))->uses.front().last, *used);
    }
    // Segments that are sealed behind those signatures are looked at all the same.
    for (auto n = index_->next(); n < (std::uint64_t(segments) + 6) * segment_records; ++n) {
        if (n % segment_records != 5) {
            ASSERT_TRUE(index_->add(nullptr).is_ok());
            continue;
        }
        auto record = numbered(n);
        record.run = "run-shared";
        add(record);
        expected.push_back(n);
        IndexQuery shared { .terms = { term_of(TermKind::run, "run-shared"), term_of(TermKind::workload, "x") } };
        shared.oldest_first = true;
        EXPECT_EQ(find(shared, 100), expected);
    }
}

TEST_F(IndexTest, whole_segments_that_retention_has_dropped_are_forgotten)
{
    add_numbered(3 * std::uint64_t(segment_records) + 100);
    auto const pages = [this] { return std::filesystem::file_size(folder_ / "index.db"); };
    auto const read_only = Index::open_read_only(folder_ / "index.db").value();
    auto const before = index_->uses(biopsies)->uses.size();
    index_->forget_before(2 * segment_records - 1).value(); // the second one has a record that is kept
    EXPECT_EQ(find({ .terms = {}, .oldest_first = true }, 1), Found { segment_records });
    index_->forget_before(2 * segment_records).value();

    auto const first_run = term_of(TermKind::run, "run-7"), kept_run = term_of(TermKind::run, "run-" + std::to_string(segment_records / 5 + 7));
    auto const check = [&](Index& index) {
        Found found;
        auto const keep = [&found](std::uint64_t sequence) -> Result<bool> {
            found.push_back(sequence);
            return found.size() < 2;
        };
        index.find({ .terms = {}, .oldest_first = true }, keep).value();
        EXPECT_EQ(found, (Found { 2 * segment_records, 2 * segment_records + 1 }));
        index.find({ .terms = { first_run } }, keep).value();
        EXPECT_EQ(found.size(), 2U);
        EXPECT_TRUE(index.uses(term_of(TermKind::use, "run-7", "run"))->uses.empty());
        EXPECT_LT(index.uses(biopsies)->uses.size(), before);
        EXPECT_GT(index.uses(biopsies)->uses.size(), 0U);
        EXPECT_FALSE(index.is_damaged());
    };
    check(*index_);
    check(*read_only); // of another process, opened before
    EXPECT_EQ(find({ .terms = { kept_run } }, 1).size(), 1U);
    auto const size = pages();
    reopen();
    EXPECT_EQ(index_->next(), 3 * segment_records);
    check(*index_);

    add_numbered(2 * std::uint64_t(segment_records) + 1);
    EXPECT_LT(pages(), size + size / 10); // in the room that was made
    index_->forget_before(100 * std::uint64_t(segment_records)).value();
    EXPECT_EQ(find({ .terms = {} }, 1), Found { 5 * std::uint64_t(segment_records) }); // what is not sealed
}

TEST_F(IndexTest, signatures_go_with_the_last_of_their_segments)
{
    constexpr std::uint64_t segments = signature_segments + 2;
    for (std::uint64_t n = 0; n <= segments * segment_records; ++n) {
        if (n % segment_records == 5)
            add(numbered(n));
        else
            ASSERT_TRUE(index_->add(nullptr).is_ok());
    }
    auto const run_of = [](std::uint64_t segment) { return term_of(TermKind::run, numbered(segment * segment_records + 5).run); };
    auto const read_only = Index::open_read_only(folder_ / "index.db").value();
    for (std::uint64_t const kept : { signature_segments - 1U, signature_segments + 0U, signature_segments + 1U }) {
        index_->forget_before(kept * segment_records).value();
        for (std::uint64_t const segment : { kept - 1, kept })
            for (auto* const index : { index_.get(), read_only.get() }) {
                Found found;
                auto const visit = [&found](std::uint64_t sequence) -> Result<bool> {
                    found.push_back(sequence);
                    return true;
                };
                EXPECT_TRUE(index->find({ .terms = { run_of(segment) } }, visit).is_ok());
                EXPECT_EQ(found, segment < kept ? Found {} : Found { segment * segment_records + 5 });
            }
    }
    EXPECT_FALSE(index_->is_damaged() || read_only->is_damaged());
}

TEST_F(IndexTest, times_outside_are_left_out_by_segment_and_stretch)
{
    add_numbered(segment_records + 1000);
    auto const at = [](std::int64_t n) { return from_unix_seconds(epoch + n); };
    EXPECT_EQ(find({ .terms = {}, .since = at(segment_records + 900) }, 1'000'000).back() / stretch_records,
        (segment_records + 900) / stretch_records);
    auto const between = find({ .terms = {}, .since = at(300), .until = at(400) }, 1'000'000);
    EXPECT_EQ(between.size(), stretch_records);
    EXPECT_EQ(between.back(), 256U);
    EXPECT_EQ(find({ .terms = {}, .since = at(10'000'000) }), Found {});
}

TEST_F(IndexTest, uses_are_one_for_what_differs_in_nothing_but_time)
{
    add_numbered(segment_records + 5);
    auto const uses = index_->uses(biopsies).value();
    EXPECT_FALSE(uses.is_cut);
    ASSERT_EQ(uses.uses.size(), (segment_records + 5 + 9) / 10);
    auto const& across = uses.uses[1]; // of run-3276, in both segments; every third of its ten was denied
    EXPECT_EQ(across.first, 32'761U);
    EXPECT_EQ(across.last, 32'768U);
    EXPECT_EQ(across.decisions, 6U);
    EXPECT_EQ(across.issuance, std::nullopt);

    auto issued = numbered(index_->next());
    issued.type = RecordType::issuance;
    issued.run = "run-1";
    add(issued);
    auto const again = index_->uses(term_of(TermKind::use, "run-1", "run")).value().uses;
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].issuance, index_->next() - 1);
    EXPECT_EQ(again[0].first, 10U);
    EXPECT_TRUE(index_->uses(term_of(TermKind::use, "run-1", "workload")).value().uses.empty());
}

// Records of a thousand decisions each: a segment is full when it has too many uses.
TEST_F(IndexTest, segments_of_many_decisions_are_shorter)
{
    for (std::uint64_t n = 0; n < 70; ++n) {
        auto record = numbered(n);
        record.resource.reset();
        record.allowed.reset();
        ItemWriter items;
        for (int i = 0; i < 900; ++i)
            items.add("lake/" + std::to_string(n * 900 + static_cast<std::uint64_t>(i)), { "Dataset", i != 0, {}, {} });
        record.items = items.take();
        add(record);
    }
    EXPECT_EQ(index_->next(), 70U);
    auto const check = [this](std::uint64_t n) {
        auto const name = "lake/" + std::to_string(n * 900 + 5);
        EXPECT_EQ(find({ .terms = { term_of(TermKind::resource, name) } }), Found { n });
        auto const uses = index_->uses(term_of(TermKind::use, name, "Dataset")).value().uses;
        ASSERT_EQ(uses.size(), 1U);
        EXPECT_EQ(uses[0].last, n);
        EXPECT_TRUE(index_->uses(term_of(TermKind::use, "lake/" + std::to_string(n * 900), "Dataset")).value().uses.empty()); // denied
    };
    check(3);
    check(69);
    reopen();
    EXPECT_GT(index_->next(), 30U);
    EXPECT_LT(index_->next(), 70U);
    check(3);
}

TEST_F(IndexTest, is_begun_anew_when_it_is_no_index)
{
    add_numbered(segment_records + 1);
    index_.reset();
    ASSERT_TRUE(replace_file(folder_ / "index.db", as_bytes(std::string(5000, 'x'))).is_ok());
    EXPECT_TRUE(Index::open_read_only(folder_ / "index.db").is_error());
    reopen();
    EXPECT_EQ(index_->next(), 0U);
}

TEST_F(IndexTest, a_damaged_page_is_seen_and_told)
{
    add_numbered(segment_records + 1);
    index_.reset();
    auto bytes = read_file(folder_ / "index.db").value();
    for (std::size_t at = 8192; at < bytes.size(); at += 7)
        bytes[at] ^= 0x55U;
    ASSERT_TRUE(replace_file(folder_ / "index.db", bytes).is_ok());
    reopen(); // either begun anew, or answers with an error
    auto const found = index_->find({ .terms = { any_decision_denied } }, [](std::uint64_t) -> Result<bool> { return true; });
    EXPECT_TRUE(found.is_error() || index_->next() == 0);
    EXPECT_EQ(found.is_error(), index_->is_damaged());
}

TEST_F(IndexTest, in_bulk_it_is_the_same)
{
    index_->begin_bulk().value();
    add_numbered(segment_records + 10);
    index_->finish_bulk().value();
    reopen();
    EXPECT_EQ(index_->next(), segment_records);
    EXPECT_EQ(find({ .terms = { term_of(TermKind::run, "run-0") } }, 1), Found { 9 });
}

// Twins of a page that are one byte shorter, or have one bit flipped: never more than an error or another answer.
TEST(IndexSegment, pages_that_were_tampered_with_do_no_harm)
{
    SegmentBuilder builder(0);
    ScannedRecord record;
    record.run = "r";
    record.decision = "allow";
    record.resource = { "Dataset", "d", "" };
    for (int i = 0; i < 300; ++i)
        builder.add(&record);
    for (auto const& page : builder.seal()) {
        for (std::size_t i = 0; i < std::min<std::size_t>(page.bytes.size(), 600); ++i) {
            auto twin = page.bytes;
            twin[i] ^= 0x81U;
            Bitmap places;
            (void)find_in_page(twin, term_of(TermKind::run, "r"), places).is_ok();
            (void)find_in_page(BytesView(twin).first(i), term_of(TermKind::run, "r"), places).is_ok();
            (void)group_in_page(BytesView(twin).first(i), 0).is_ok();
            (void)head_in_page(BytesView(twin).first(i)).is_ok();
        }
    }
}

TEST(IndexSignature, tells_of_every_segment_that_has_a_term_and_of_few_that_do_not)
{
    constexpr std::size_t keys_each = 800;
    auto chance = [state = std::uint64_t(1)]() mutable { return (state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U) >> 24U; };
    std::vector<std::vector<std::uint32_t>> keys(signature_segments);
    for (auto& of_segment : keys)
        for (std::size_t i = 0; i < keys_each; ++i)
            of_segment.push_back(static_cast<std::uint32_t>(chance()));
    keys[9].clear();
    constexpr std::uint32_t segment_of_all = 70, page = 5;
    auto const signatures = signatures_of(segment_of_all, page, keys);
    auto const ask = [&](std::uint32_t key) {
        auto const term = Term(page) << 32U | key;
        auto const found = std::ranges::find(signatures, signature_number(segment_of_all - 6, term), &Signature::number);
        return segments_with(found->bytes, term).value();
    };
    for (std::size_t segment = 0; segment < keys.size(); ++segment)
        for (auto const key : keys[segment])
            ASSERT_TRUE(ask(key) >> segment & 1U);
    std::size_t wrong = 0;
    constexpr std::size_t asked = 2000;
    for (std::size_t i = 0; i < asked; ++i)
        wrong += static_cast<std::size_t>(std::popcount(ask(static_cast<std::uint32_t>(chance()))));
    EXPECT_LT(wrong, asked * signature_segments / 20);
    EXPECT_EQ(segments_with(BytesView(signatures[0].bytes).first(8 * 64 - 4), 7).error().code, ErrorCode::corruption);
    EXPECT_EQ(segments_with({}, 7).error().code, ErrorCode::corruption);
}

TEST(IndexTerms, a_version_goes_by_all_of_its_names)
{
    auto const named = name_of({ "ModelVersion", "fraud@7", "" });
    EXPECT_EQ(named.type, "Model");
    EXPECT_EQ(named.name, "fraud");
    EXPECT_EQ(named.version, "7");
    auto const apart = name_of({ "Dataset", "fraud/labels", "3" });
    EXPECT_EQ(apart.name, "fraud/labels");
    EXPECT_EQ(apart.version, "3");
    EXPECT_EQ(name_of({ "Dataset", "a@b", "" }).name, "a@b"); // no version: an `@` is a letter like any other
    std::vector<Term> terms;
    ScannedRecord record;
    record.resource = { "ModelVersion", "fraud@7", "7" };
    add_use_terms(record, terms);
    for (auto const* name : { "fraud", "fraud@7" }) {
        EXPECT_NE(std::find(terms.begin(), terms.end(), term_of(TermKind::use, name, "Model")), terms.end()) << name;
        EXPECT_NE(std::find(terms.begin(), terms.end(), term_of(TermKind::use, name)), terms.end()) << name;
    }
}

} // namespace writ::audit
