// Covers the edits that RFC 3261 §16.6 and §16.7 make, and that every other octet stays as
// received.
#include "sip/edit_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

std::string rendered(const EditList& edits) {
    EXPECT_TRUE(edits.ok());
    std::string out;
    edits.render(out);
    EXPECT_EQ(out.size(), edits.rendered_size());
    return out;
}

TEST(EditList_Behaviour, WithoutEditsEveryOctetStays) {
    const Parsed message(options_request({"X:  odd\r\n\tfold ", "k:"}, "body\r\n"));
    EXPECT_EQ(rendered(EditList(message.view)), message.bytes);
}

TEST(EditList_Rfc3261_16_6, TheStepsOfForwardingChangeNothingElse) {
    const Parsed message(options_request({"Subject:  odd\r\n\tfold "}, "body"));
    EditList edits(message.view);
    edits.set_request_uri("sip:bob@198.51.100.7");
    edits.set_value(*message.view.first(HeaderId::MaxForwards), "69");
    edits.insert_header(HeaderId::RecordRoute, "Record-Route", "<sip:p;lr>");
    edits.insert_header(HeaderId::Via, "Via", "SIP/2.0/UDP p;branch=z9hG4bK2");
    edits.append_header("X-Last", "1");
    std::string expected = message.bytes;
    expected = replaced(expected, "OPTIONS sip:bob@example.test", "OPTIONS sip:bob@198.51.100.7");
    expected = replaced(expected, "Max-Forwards: 70", "Max-Forwards: 69");
    expected = replaced(expected, "Via: SIP/2.0/UDP 192",
                        "Record-Route: <sip:p;lr>\r\nVia: SIP/2.0/UDP p;branch=z9hG4bK2\r\n"
                        "Via: SIP/2.0/UDP 192");
    expected = replaced(expected, "\r\n\r\nbody", "\r\nX-Last: 1\r\n\r\nbody");
    EXPECT_EQ(rendered(edits), expected);
}

TEST(EditList_Behaviour, ValuesOfEmptyFieldsAndWholeLinesAreReplacedAndRemoved) {
    const Parsed message("OPTIONS sip:x SIP/2.0\r\nSubject:\r\nTo: a\r\n b\r\nFrom: c\r\n\r\n");
    EditList edits(message.view);
    edits.set_value(*message.view.first(HeaderId::Subject), "s");
    edits.remove_header(*message.view.first(HeaderId::To));
    EXPECT_EQ(rendered(edits), "OPTIONS sip:x SIP/2.0\r\nSubject:s\r\nFrom: c\r\n\r\n");
}

TEST(EditList_Behaviour, AMessageWithoutHeaderFieldsTakesInsertions) {
    const Parsed message("OPTIONS sip:x SIP/2.0\r\n\r\n");
    EditList edits(message.view);
    edits.insert_header(HeaderId::Via, "Via", "1");
    edits.append_header("To", "2");
    EXPECT_EQ(rendered(edits), "OPTIONS sip:x SIP/2.0\r\nVia: 1\r\nTo: 2\r\n\r\n");
}

TEST(EditList_Behaviour, InsertionsAtOnePlaceKeepTheirOrderBeforeAReplacement) {
    const Parsed message("OPTIONS sip:x SIP/2.0\r\n\r\n");
    EditList edits(message.view);
    edits.replace(8, 13, "R");
    edits.insert(8, "1");
    edits.insert(13, "4");
    edits.insert(8, "2");
    edits.replace(13, 14, "_");
    edits.replace(7, 8, "<");
    edits.insert(13, "5");
    EXPECT_EQ(rendered(edits), "OPTIONS<12R45_SIP/2.0\r\n\r\n");
}

/// A message with those lines behind a start line, edited by removing `count` values of Via.
std::string after_removal(std::string_view headers, size_t count) {
    const Parsed message("SIP/2.0 200 OK\r\n" + std::string(headers) + "\r\n");
    EXPECT_TRUE(message.result);
    EditList edits(message.view);
    edits.remove_first_values(HeaderId::Via, count);
    return rendered(edits).substr(16);
}

TEST(EditList_Rfc3261_16_7, RemovesValuesFromTheTop) {
    EXPECT_EQ(after_removal("Via: a, b\r\n", 1), "Via: b\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a ,\r\n b,c\r\n", 1), "Via: b,c\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a, b, c\r\n", 2), "Via: c\r\n\r\n");
    EXPECT_EQ(after_removal("To: t\r\nVia: a\r\nFrom: f\r\nv: b\r\n", 1),
              "To: t\r\nFrom: f\r\nv: b\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a\r\nTo: t\r\nVia: b,c\r\n", 2), "To: t\r\nVia: c\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a, b\r\nVia: c\r\nVia: d, e\r\n", 4), "Via: e\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a;x=\"1,2\", b\r\n", 1), "Via: b\r\n\r\n");
}

TEST(EditList_Rfc3261_16_7, RemovingNoneOrMoreThanThereAre) {
    EXPECT_EQ(after_removal("Via: a, b\r\n", 0), "Via: a, b\r\n\r\n");
    EXPECT_EQ(after_removal("Via: a, b\r\nVia: c\r\nTo: t\r\n", 9), "To: t\r\n\r\n");
    EXPECT_EQ(after_removal("To: t\r\n", 1), "To: t\r\n\r\n");
    EXPECT_EQ(after_removal("Via:\r\nVia: a\r\nVia: b\r\n", 1), "Via: b\r\n\r\n");
}

TEST(EditList_Behaviour, OverlapsAreRefusedWhole) {
    const Parsed message(options_request());
    const struct {
        size_t begin, end;
    } overlaps[] = {{10, 20}, {11, 12}, {5, 11}, {19, 30}, {5, 30}, {15, 15}, {11, 11}};
    for (const auto& overlap : overlaps) {
        EditList edits(message.view);
        edits.replace(10, 20, "x");
        EXPECT_TRUE(edits.ok());
        edits.replace(overlap.begin, overlap.end, "y");
        EXPECT_FALSE(edits.ok()) << overlap.begin << ' ' << overlap.end;
    }
    for (const auto& beside : {std::pair{5, 10}, {20, 30}, {10, 10}, {20, 20}}) {
        EditList edits(message.view);
        edits.replace(10, 20, "x");
        edits.replace(static_cast<size_t>(beside.first), static_cast<size_t>(beside.second), "y");
        EXPECT_TRUE(edits.ok()) << beside.first;
    }
}

TEST(EditList_Behaviour, APlaceInsideAnotherEditIsRefusedFromBothSides) {
    const Parsed message(options_request());
    EditList edits(message.view);
    edits.insert(15, "x");
    edits.replace(10, 20, "y");
    EXPECT_FALSE(edits.ok());
}

TEST(EditList_Behaviour, ThereAreAtMostKEditsMaxEdits) {
    const Parsed message(options_request());
    EditList edits(message.view);
    for (size_t i = 0; i < EditList::kEditsMax; ++i) edits.insert(message.view.headers_end(), "x");
    EXPECT_TRUE(edits.ok());
    EXPECT_EQ(edits.rendered_size(), message.bytes.size() + EditList::kEditsMax);
    edits.insert(0, "");
    EXPECT_FALSE(edits.ok());
}

TEST(EditList_Behaviour, NewTextHasAtMostKTextMaxOctets) {
    const Parsed message(options_request());
    const std::string half(EditList::kTextMax / 2, 'x');
    EditList edits(message.view);
    edits.insert(0, half);
    edits.insert(0, half);
    edits.remove(0, 3);
    EXPECT_TRUE(edits.ok());
    EXPECT_EQ(rendered(edits).substr(0, half.size() * 2), half + half);
    edits.insert(0, "x");
    EXPECT_FALSE(edits.ok());
    EditList large(message.view);
    large.insert(0, half + half + "x");
    EXPECT_FALSE(large.ok());
}

struct NaiveEdit {
    size_t begin, end;
    std::string text;
};

/// What an edit list means, said in the slowest way: at each place the insertions, then the
/// replacement or the octet.
std::string naive_render(const std::string& bytes, const std::vector<NaiveEdit>& edits) {
    std::string out;
    size_t skip_to = 0;
    for (size_t at = 0; at <= bytes.size(); ++at) {
        for (const NaiveEdit& edit : edits) {
            if (edit.begin == at && edit.end == at) out += edit.text;
        }
        for (const NaiveEdit& edit : edits) {
            if (edit.begin == at && edit.end != at) {
                out += edit.text;
                skip_to = edit.end;
            }
        }
        if (at >= skip_to && at < bytes.size()) out += bytes[at];
    }
    return out;
}

bool overlaps(const NaiveEdit& a, const NaiveEdit& b) {
    const bool a_empty = a.begin == a.end;
    const bool b_empty = b.begin == b.end;
    if (a_empty && b_empty) return false;
    if (a_empty) return b.begin < a.begin && a.begin < b.end;
    if (b_empty) return a.begin < b.begin && b.begin < a.end;
    return a.begin < b.end && b.begin < a.end;
}

TEST(EditList_Behaviour, RandomEditsRenderAsTheNaiveModelSays) {
    const Parsed message(options_request({"Subject: hello"}, "a body"));
    std::mt19937 random(20261122);
    const auto below = [&random](size_t bound) { return random() % bound; };
    for (int round = 0; round < 3000; ++round) {
        EditList edits(message.view);
        std::vector<NaiveEdit> model;
        const size_t wanted = below(30);
        for (size_t i = 0; i < wanted; ++i) {
            const size_t begin = below(message.bytes.size() + 1);
            const size_t longest = std::min<size_t>(message.bytes.size() - begin, 12);
            const size_t end = begin + (below(2) == 0 ? 0 : below(longest + 1));
            const NaiveEdit edit{begin, end,
                                 std::string(below(5), static_cast<char>('A' + i % 26))};
            const bool clash = std::any_of(model.begin(), model.end(), [&](const NaiveEdit& other) {
                return overlaps(edit, other);
            });
            if (clash) continue;
            edits.replace(edit.begin, edit.end, edit.text);
            model.push_back(edit);
        }
        ASSERT_EQ(rendered(edits), naive_render(message.bytes, model)) << "round " << round;
    }
}

}  // namespace
}  // namespace signalbox::sip
