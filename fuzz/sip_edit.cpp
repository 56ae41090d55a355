// Fuzz target: edits of a message render as a naive model says, or the list says that it took too
// much.
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "sip/edit_list.h"

namespace signalbox::sip {
namespace {

constexpr size_t kInputMax = 4096;

struct ModelEdit {
    size_t begin, end;
    std::string text;
};

/// At each place the insertions in order, then the replacement or the octet that stands there.
std::string model_render(std::string_view bytes, const std::vector<ModelEdit>& edits) {
    std::string out;
    size_t skip_to = 0;
    for (size_t at = 0; at <= bytes.size(); ++at) {
        for (const ModelEdit& edit : edits) {
            if (edit.begin == at && edit.end == at) out += edit.text;
        }
        for (const ModelEdit& edit : edits) {
            if (edit.begin != at || edit.end == at) continue;
            out += edit.text;
            skip_to = edit.end;
        }
        if (at >= skip_to && at < bytes.size()) out += bytes[at];
    }
    return out;
}

/// Edits by offsets, as many as the input asks for.
void random_edits(const MessageView& view, fuzz::Input& input) {
    EditList edits(view);
    std::vector<ModelEdit> model;
    const size_t size = view.bytes().size();
    for (size_t count = input.octet() % 32; count > 0; --count) {
        const size_t begin = input.number() % (size + 1);
        const size_t end = begin + input.octet() % (size - begin + 1);
        const std::string_view text = input.text(input.octet() % 16);
        edits.replace(begin, end, text);
        if (!edits.ok()) return;
        model.push_back({begin, end, std::string(text)});
    }
    std::string out;
    edits.render(out);
    CHECK(out == model_render(view.bytes(), model));
}

/// What a proxy does to every message: it stays parseable and keeps its body.
void forward(const MessageView& view, fuzz::Input& input) {
    EditList edits(view);
    if (view.is_request()) edits.set_request_uri("sip:bob@example.test");
    edits.insert_header(HeaderId::Via, "Via", "SIP/2.0/UDP p;branch=z9hG4bK1");
    edits.append_header("X-Last", "1");
    edits.remove_first_values(HeaderId::Route, input.octet() % 4);
    if (!view.is_request()) edits.remove_first_values(HeaderId::Via, 1 + input.octet() % 3);
    CHECK(edits.ok());
    std::string out;
    edits.render(out);
    CHECK(out.size() == edits.rendered_size());
    if (out.size() > kMessageBytesMax || view.headers().size() + 2 > kHeadersMax) return;
    MessageView again;
    CHECK(parse_message(out, again).has_value());
    CHECK(again.body() == view.body());
    CHECK(again.find("X-Last") != nullptr);
}

}  // namespace
}  // namespace signalbox::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace signalbox::sip;
    if (size > kInputMax) return 0;
    signalbox::fuzz::Input input(data, size);
    const std::string choices(input.text(input.octet()));
    const std::string bytes(input.rest());
    MessageView view;
    if (!parse_message(bytes, view)) return 0;
    signalbox::fuzz::Input for_edits(reinterpret_cast<const uint8_t*>(choices.data()),
                                     choices.size());
    forward(view, for_edits);
    random_edits(view, for_edits);
    return 0;
}
