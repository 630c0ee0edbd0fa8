// SPDX-License-Identifier: Apache-2.0
#include "audit/bundle/bundle.h"

#include "audit/bundle/archive.h"
#include "base/version.h"
#include "crypto/digest.h"

#include <charconv>
#include <set>

namespace writ::audit {

namespace {

constexpr std::string_view format_name = "writ-audit-bundle/2";
constexpr std::string_view readme = R"(An audit bundle of Writ: records of a transparency log, and what proves them.

bundle.json            what was asked for, and what is here
records/N.json         record number N, as it lies in the log; its leaf hash is SHA-256 of a zero byte and these bytes
proofs/N.tlog-proof    C2SP tlog-proof: the hashes from that leaf to the root in the signed checkpoint below them
declarations/V.json    version V of what was declared, policies included; a record in here has its SHA-256
schemas/D.cedarschema  what the policies were held to; D is its SHA-256, which a record in here has
SHA256SUMS             of every file above: sha256sum -c SHA256SUMS

writ audit bundle verify FILE --key VKEY checks all of it, with nothing but this file and the log's public key.
)";
// LIMIT: far above the 60 hashes of the largest tree, and a checkpoint with many witnesses.
constexpr std::size_t proof_bytes_max = 64U << 10U;
constexpr std::string_view proof_head = "c2sp.org/tlog-proof@v1\n";

std::string record_name(std::uint64_t number) { return "records/" + std::to_string(number) + ".json"; }
std::string proof_name(std::uint64_t number) { return "proofs/" + std::to_string(number) + ".tlog-proof"; }
std::string declarations_name(std::uint64_t version) { return "declarations/" + std::to_string(version) + ".json"; }
std::string schema_name(std::string const& digest) { return "schemas/" + digest + ".cedarschema"; }

std::string digest_of(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

template <typename Map> JsonArray numbers_of(Map const& map)
{
    JsonArray numbers;
    for (auto const& entry : map)
        numbers.emplace_back(entry.first);
    return numbers;
}

JsonArray digests_of(std::map<std::string, std::string> const& schemas)
{
    JsonArray digests;
    for (auto const& entry : schemas)
        digests.emplace_back(entry.first);
    return digests;
}

std::string manifest_of(Bundle const& bundle)
{
    return to_text(JsonObject { { "format", format_name }, { "writ", version_text }, { "question", bundle.question },
               { "records", numbers_of(bundle.records) }, { "declarations", numbers_of(bundle.declarations) },
               { "schemas", digests_of(bundle.schemas) } })
        + "\n";
}

std::string sums_of(std::vector<ArchivedFile> const& files)
{
    std::string sums;
    for (auto const& file : files)
        sums += digest_of(file.content) + "  " + file.name + "\n";
    return sums;
}

// Everything there is, in the one order there is: whatever verifies a bundle makes it again and compares.
std::vector<ArchivedFile> files_of(Bundle const& bundle)
{
    std::vector<ArchivedFile> files { { "README.txt", std::string(readme) }, { "bundle.json", manifest_of(bundle) } };
    for (auto const& [number, record] : bundle.records) {
        files.push_back({ record_name(number), record.text });
        files.push_back({ proof_name(number), to_proof_text(number, record) });
    }
    for (auto const& [version, text] : bundle.declarations)
        files.push_back({ declarations_name(version), text });
    for (auto const& [digest, text] : bundle.schemas)
        files.push_back({ schema_name(digest), text });
    files.push_back({ "SHA256SUMS", sums_of(files) });
    return files;
}

class BundleReader {
public:
    explicit BundleReader(std::vector<ArchivedFile> const& files)
    {
        for (auto const& file : files)
            files_.emplace(file.name, &file.content);
    }

    Result<Bundle> read() const
    {
        Bundle bundle;
        auto const manifest = TRY(parse_json_object(TRY(content("bundle.json"))));
        if (auto const format = string_or(manifest, "format", ""); format != format_name)
            return corruption("a bundle of format `" + std::string(format) + "`; this program reads `" + std::string(format_name) + "`");
        bundle.question = *TRY(object_member(manifest, "question"));
        for (auto const number : TRY(numbers_at(manifest, "records"))) {
            auto const proof = TRY(parse_proof_text(TRY(content(proof_name(number)))).in(proof_name(number)));
            if (proof.index != number)
                return corruption(proof_name(number) + " is of record " + std::to_string(proof.index));
            bundle.records.emplace(number,
                BundledRecord { .text = std::string(TRY(content(record_name(number)))), .proof = proof.proof, .checkpoint = proof.checkpoint });
        }
        for (auto const version : TRY(numbers_at(manifest, "declarations")))
            bundle.declarations.emplace(version, TRY(content(declarations_name(version))));
        for (auto const& digest : TRY(strings_member(manifest, "schemas")))
            bundle.schemas.emplace(digest, TRY(content(schema_name(digest))));
        return bundle;
    }

private:
    Result<std::string_view> content(std::string const& name) const
    {
        auto const found = files_.find(name);
        if (found == files_.end())
            return corruption("`" + name + "` is missing");
        return std::string_view(*found->second);
    }

    static Result<std::vector<std::uint64_t>> numbers_at(JsonObject const& manifest, std::string_view name)
    {
        std::vector<std::uint64_t> numbers;
        for (auto const& value : *TRY(array_member(manifest, name))) {
            if (!value.is_int64() || value.as_int64() < 0)
                return corruption("`" + std::string(name) + "` has what is no number");
            numbers.push_back(static_cast<std::uint64_t>(value.as_int64()));
        }
        return numbers;
    }

    std::map<std::string, std::string const*> files_;
};

Result<tlog::Checkpoint> verify_record(std::uint64_t number, BundledRecord const& record, tlog::NoteVerifier const& key)
{
    auto checkpoint = TRY(tlog::verify_checkpoint(record.checkpoint, key));
    if (checkpoint.origin != key.name)
        return corruption("the checkpoint is of another log, `" + checkpoint.origin + "`");
    TRY(tlog::verify_inclusion(tlog::leaf_hash(as_bytes(record.text)), number, checkpoint.size, record.proof, checkpoint.root));
    return checkpoint;
}

// The versions that records in the bundle say were put in force, and the digest they say they have.
std::map<std::uint64_t, std::string> declared_in(std::vector<Record> const& records)
{
    std::map<std::uint64_t, std::string> declared;
    for (auto const& record : records)
        if (record.declarations)
            declared[record.declarations->version] = record.declarations->digest;
    return declared;
}

// By their digests in the records that put versions in force: an older program's have none.
Result<> verify_schemas(Bundle const& bundle, std::vector<Record> const& records, BundleReport& report)
{
    std::set<std::string> named;
    for (auto const& record : records) {
        if (!record.declarations)
            continue;
        if (record.declarations->schema.empty())
            report.is_schema_unknown = true;
        else
            named.insert(record.declarations->schema);
    }
    for (auto const& [digest, text] : bundle.schemas) {
        if (!named.contains(digest))
            return corruption("no record in the bundle says that policies were held to the schema " + digest);
        if (digest != digest_of(text))
            return corruption("the schema " + digest + " is not what its record says policies were held to");
    }
    for (auto const& digest : named)
        if (!bundle.schemas.contains(digest))
            return corruption("a record names the schema " + digest + ", which is not in the bundle");
    report.schemas = bundle.schemas;
    return {};
}

Result<> verify_declarations(Bundle const& bundle, std::vector<Record> const& records)
{
    auto const declared = declared_in(records);
    for (auto const& [version, text] : bundle.declarations) {
        auto const known = declared.find(version);
        if (known == declared.end())
            return corruption("no record in the bundle says that declarations version " + std::to_string(version) + " was put in force");
        if (known->second != digest_of(text))
            return corruption("declarations version " + std::to_string(version) + " are not what its record says was put in force");
    }
    for (auto const& record : records)
        if (record.policy_version != 0 && record.allowed && !bundle.declarations.contains(record.policy_version))
            return corruption("a decision names declarations version " + std::to_string(record.policy_version) + ", which is not in the bundle");
    return {};
}

// One checkpoint more, of a log that only grows: two of one size have one root.
Result<> check_fork(std::map<std::uint64_t, tlog::Hash>& roots, tlog::Checkpoint const& checkpoint)
{
    auto const [place, is_new] = roots.emplace(checkpoint.size, checkpoint.root);
    if (!is_new && place->second != checkpoint.root)
        return corruption("two checkpoints of size " + std::to_string(checkpoint.size) + " differ: the log has forked");
    return {};
}

} // namespace

std::string to_proof_text(std::uint64_t index, BundledRecord const& record)
{
    auto text = std::string(proof_head) + "index " + std::to_string(index) + "\n";
    for (auto const& hash : record.proof)
        text += to_base64(hash) + "\n";
    return text + "\n" + record.checkpoint;
}

Result<ParsedProof> parse_proof_text(std::string_view text)
{
    auto const whole = text;
    if (text.size() > proof_bytes_max || !text.starts_with(proof_head))
        return corruption("not a tlog-proof");
    text.remove_prefix(proof_head.size());
    auto const take_line = [&text] {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        return line;
    };
    ParsedProof parsed;
    auto const index = take_line();
    auto const digits = index.substr(std::min(index.size(), std::string_view("index ").size()));
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.index);
    if (!index.starts_with("index ") || error != std::errc() || end != digits.data() + digits.size() || digits.empty())
        return corruption("a tlog-proof without an index");
    for (auto line = take_line(); !line.empty(); line = take_line()) {
        auto const bytes = parse_base64(line);
        tlog::Hash hash {};
        if (bytes.is_error() || bytes->size() != hash.size())
            return corruption("a tlog-proof with what is no hash");
        std::ranges::copy(*bytes, hash.begin());
        parsed.proof.push_back(hash);
    }
    parsed.checkpoint = text;
    if (to_proof_text(parsed.index, { .text = {}, .proof = parsed.proof, .checkpoint = parsed.checkpoint }) != whole)
        return corruption("a tlog-proof that is not as it is written");
    return parsed;
}

std::string to_file(Bundle const& bundle) { return to_archive(files_of(bundle)); }

Result<BundleReport> verify_bundle(std::string_view file, tlog::NoteVerifier const& key)
{
    auto const files = TRY(parse_archive(file));
    auto const read = BundleReader(files).read();
    if (read.is_error())
        return corruption(read.error().message);
    auto const& bundle = *read;
    if (bundle.records.size() > bundle_records_max)
        return corruption("more than " + std::to_string(bundle_records_max) + " records");
    // SECURITY: nothing is in the file but what was read from it, digests included: what is not checked below cannot be hidden in it.
    if (to_file(bundle) != file)
        return corruption("the file is not as it is written: some byte of it, or of `SHA256SUMS`, was altered");

    BundleReport report { .question = bundle.question, .origin = key.name, .records = bundle.records.size() };
    std::vector<Record> records;
    std::map<std::uint64_t, tlog::Hash> roots;
    for (auto const& [number, record] : bundle.records) {
        auto const name = "record " + std::to_string(number);
        auto const checkpoint = TRY(verify_record(number, record, key).in(name));
        TRY(check_fork(roots, checkpoint));
        report.tree_size = std::max(report.tree_size, checkpoint.size);
        records.push_back(TRY(parse_record(record.text).in(name)));
        ++report.types[std::string(to_string(records.back().type))];
        report.asserted += records.back().asserted.empty() ? 0 : 1;
    }
    TRY(verify_declarations(bundle, records));
    TRY(verify_schemas(bundle, records, report));
    for (auto const& [version, text] : bundle.declarations)
        report.declarations.push_back(version);
    return report;
}

} // namespace writ::audit
