// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_lanes.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace writ::crypto {

void sha256_prefixed_one_by_one(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests)
{
    ASSERT(messages.size() == digests.size());
    for (std::size_t i = 0; i < messages.size(); ++i)
        digests[i] = sha256(std::array { BytesView(&prefix, 1), messages[i] });
}

#if defined(__x86_64__)

namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_bytes = 8;
// Three are as fast as four where this was measured (Zen 4), and their states fit into the registers.
constexpr std::size_t lanes = 3;

alignas(16) constexpr std::array<std::uint32_t, 64> round_constants { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1,
    0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
    0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

// The eight words in the order that the instructions want: A B E F, and C D G H.
struct State {
    __m128i abef, cdgh;
};

__m128i initial_abef() { return _mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c)); }
__m128i initial_cdgh() { return _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19); }

// One message on its way through a lane. Its first block begins with the prefix, its last one or two hold the padding; those in between
// are read where they lie.
struct Lane {
    State state;
    std::uint8_t const* middle; // the next block that is the message's own bytes alone
    std::size_t middle_blocks;
    std::size_t own_block, own_blocks; // of `own`: the first, then the last ones
    std::size_t message;               // its place in the batch
    alignas(16) std::array<std::uint8_t, 3 * block_bytes> own;

    void begin(std::uint8_t prefix, BytesView bytes, std::size_t place);
    [[nodiscard]] bool is_done() const { return middle_blocks == 0 && own_block == own_blocks; }
    std::uint8_t const* next_block();
};

void Lane::begin(std::uint8_t prefix, BytesView bytes, std::size_t place)
{
    state = { initial_abef(), initial_cdgh() };
    message = place;
    own_block = 0;
    own.fill(0);
    own[0] = prefix;
    auto const head = std::min(bytes.size(), block_bytes - 1);
    std::ranges::copy(bytes.first(head), own.begin() + 1);
    auto const rest = bytes.subspan(head);
    middle = rest.data();
    middle_blocks = head == block_bytes - 1 ? rest.size() / block_bytes : 0;
    auto const tail = rest.subspan(middle_blocks * block_bytes);
    // SPEC: FIPS 180-4 §5.1.1: a one bit, zeros, and the length in 64 bits, up to a whole block.
    auto const is_one_block = head < block_bytes - 1;
    auto const end = is_one_block ? 1 + head : block_bytes + tail.size();
    if (!is_one_block)
        std::ranges::copy(tail, own.begin() + block_bytes);
    own[end] = 0x80;
    own_blocks = (end + 1 + length_bytes + block_bytes - 1) / block_bytes;
    auto bits = (std::uint64_t(bytes.size()) + 1) * 8;
    for (auto at = own_blocks * block_bytes; bits > 0; bits >>= 8U)
        own[--at] = static_cast<std::uint8_t>(bits);
}

std::uint8_t const* Lane::next_block()
{
    if (own_block > 0 && middle_blocks > 0) {
        --middle_blocks;
        return std::exchange(middle, middle + block_bytes);
    }
    return own.data() + block_bytes * own_block++;
}

// A block of each of N lanes, round by round beside each other. The message schedule keeps the last 16 words.
template <std::size_t N>
__attribute__((target("sha,sse4.1,ssse3"))) void compress(std::array<State*, N> const& states, std::array<std::uint8_t const*, N> const& blocks)
{
    auto const byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    std::array<__m128i, N> abef, cdgh;                  // NOLINT: set below
    std::array<std::array<__m128i, 4>, N> words;        // NOLINT: set below
#pragma clang loop unroll(full)
    for (std::size_t n = 0; n < N; ++n) {
        abef[n] = states[n]->abef;
        cdgh[n] = states[n]->cdgh;
    }
#pragma clang loop unroll(full)
    for (std::size_t four = 0; four < 16; ++four) {
        auto const constants = _mm_load_si128(reinterpret_cast<__m128i const*>(round_constants.data()) + four);
        auto const now = four % 4, last = (four + 3) % 4, before = (four + 2) % 4, next = (four + 1) % 4;
#pragma clang loop unroll(full)
        for (std::size_t n = 0; n < N; ++n) {
            if (four < 4) {
                words[n][now] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<__m128i const*>(blocks[n]) + four), byte_order);
            } else {
                // w[t] = s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16], four at a time.
                auto const sevenths = _mm_alignr_epi8(words[n][last], words[n][before], 4);
                auto const sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[n][now], words[n][next]), sevenths);
                words[n][now] = _mm_sha256msg2_epu32(sum, words[n][last]);
            }
            auto const keyed = _mm_add_epi32(words[n][now], constants);
            cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], keyed);
            abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32(keyed, 0x0e));
        }
    }
#pragma clang loop unroll(full)
    for (std::size_t n = 0; n < N; ++n) {
        states[n]->abef = _mm_add_epi32(states[n]->abef, abef[n]);
        states[n]->cdgh = _mm_add_epi32(states[n]->cdgh, cdgh[n]);
    }
}

void put_digest(State const& state, Sha256Digest& digest)
{
    alignas(16) std::array<std::uint32_t, 4> abef, cdgh; // NOLINT: set below
    _mm_store_si128(reinterpret_cast<__m128i*>(abef.data()), state.abef);
    _mm_store_si128(reinterpret_cast<__m128i*>(cdgh.data()), state.cdgh);
    std::array const words { abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0] };
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const big_endian = __builtin_bswap32(words[i]);
        std::memcpy(digest.data() + 4 * i, &big_endian, 4);
    }
}

template <std::size_t N> void step(std::array<Lane, lanes>& running)
{
    std::array<State*, N> states;               // NOLINT: set below
    std::array<std::uint8_t const*, N> blocks;  // NOLINT: set below
    for (std::size_t n = 0; n < N; ++n) {
        states[n] = &running[n].state;
        blocks[n] = running[n].next_block();
    }
    compress<N>(states, blocks);
}

// The messages are `message(0)` … `message(digests.size() - 1)`. A lane that is done takes the next one, so that messages of different
// lengths keep all of them busy.
template <typename MessageAt> void hash_interleaved(std::uint8_t prefix, MessageAt message, std::span<Sha256Digest> digests)
{
    std::array<Lane, lanes> running; // NOLINT: begun below
    std::size_t begun = 0, busy = 0;
    while (busy > 0 || begun < digests.size()) {
        for (; busy < lanes && begun < digests.size(); ++busy, ++begun)
            running[busy].begin(prefix, message(begun), begun);
        busy == 3 ? step<3>(running) : busy == 2 ? step<2>(running) : step<1>(running);
        for (std::size_t n = busy; n-- > 0;) {
            if (!running[n].is_done())
                continue;
            put_digest(running[n].state, digests[running[n].message]);
            if (begun < digests.size()) {
                running[n].begin(prefix, message(begun), begun);
                ++begun;
            } else if (n != --busy) {
                running[n] = running[busy];
            }
        }
    }
}

} // namespace

bool has_sha_instructions()
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    auto const is_there = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    return is_there && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

void sha256_prefixed_interleaved(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests)
{
    ASSERT(messages.size() == digests.size());
    hash_interleaved(prefix, [&](std::size_t i) { return messages[i]; }, digests);
}

#else

bool has_sha_instructions() { return false; }

void sha256_prefixed_interleaved(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests)
{
    sha256_prefixed_one_by_one(prefix, messages, digests);
}

#endif

void sha256_prefixed(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests)
{
    static bool const is_interleaved = has_sha_instructions();
    is_interleaved ? sha256_prefixed_interleaved(prefix, messages, digests) : sha256_prefixed_one_by_one(prefix, messages, digests);
}

void sha256_prefixed_pairs(std::uint8_t prefix, std::span<Sha256Digest const> pairs, std::span<Sha256Digest> digests)
{
    ASSERT(pairs.size() == 2 * digests.size());
    // LIMIT: of what is put on the stack at once; far more than the lanes need.
    constexpr std::size_t at_once = 64;
    std::array<BytesView, at_once> messages;
    while (!digests.empty()) {
        auto const count = std::min(at_once, digests.size());
        for (std::size_t i = 0; i < count; ++i)
            messages[i] = BytesView(pairs[2 * i].data(), 2 * sizeof(Sha256Digest));
        sha256_prefixed(prefix, std::span(messages).first(count), digests.first(count));
        pairs = pairs.subspan(2 * count);
        digests = digests.subspan(count);
    }
}

} // namespace writ::crypto
