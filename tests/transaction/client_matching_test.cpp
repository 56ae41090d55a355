// Whether a response belongs to a client transaction.
// Covers: RFC 3261 §17.1.3; RFC 6026 §8.4 (stray responses). Not covered: the sent-by check of
// §18.1.2, which is the core's.
#include "transaction/client_matching.h"

#include <gmock/gmock.h>

#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using namespace std::chrono_literals;
using testing::ClientPeer;
using testing::LayerWorld;
using testing::RequestText;
using testing::response_text;
using Kind = ResponseMatch::Kind;

namespace {

/// The kind of a 200 whose branch says what `change` makes of the right fields.
template <class ChangeFields>
Kind kind_with(ChangeFields change) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    BranchFields fields = *read_branch(bob.start.branch.view(), world.keys, world.now.wall);
    change(fields);
    RequestText request = bob.request;
    request.via =
        "SIP/2.0/UDP 192.0.2.1:5060;branch=" + std::string(make_branch(fields, world.keys).view());
    const Kind kind = world.receive_response(response_text(request, 200, "bob1")).kind;
    EXPECT_EQ(world.count(Counter::stray_responses_dropped_total), kind == Kind::Stray ? 1u : 0u);
    return kind;
}

}  // namespace

TEST(ClientMatching_Rfc3261_17_1_3, OurBranchFindsItsTransaction) {
    EXPECT_EQ(kind_with([](BranchFields&) {}), Kind::Pass);
    EXPECT_EQ(kind_with([](BranchFields& f) { f.loop_hash ^= 1; }), Kind::Pass);
}

TEST(ClientMatching_Rfc6026_8_4, EveryWrongFieldOfTheBranchMakesItStray) {
    EXPECT_EQ(kind_with([](BranchFields& f) { f.cookie ^= 1; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { ++f.generation; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { f.generation = 0; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { ++f.index; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { f.index = UINT32_MAX; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { ++f.node; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { ++f.shard; }), Kind::Stray);
    EXPECT_EQ(kind_with([](BranchFields& f) { f.kind = BranchKind::Stateless; }), Kind::Stray);
}

TEST(ClientMatching_Rfc6026_8_4, AForgedOrForeignBranchIsStray) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    RequestText forged = bob.request;
    forged.via.back() = forged.via.back() == 'a' ? 'b' : 'a';
    EXPECT_EQ(world.receive_response(response_text(forged, 200, "bob1")).kind, Kind::Stray);
    forged.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKforeign";
    EXPECT_EQ(world.receive_response(response_text(forged, 200, "bob1")).kind, Kind::Stray);
    forged.via = "SIP/2.0/UDP 192.0.2.1:5060";
    EXPECT_EQ(world.receive_response(response_text(forged, 200, "bob1")).kind, Kind::Stray);
    EXPECT_TRUE(world.layer->is_pending(bob.start.client));
}

TEST(ClientMatching_Rfc3261_17_1_3, AnotherMethodInCSeqIsStray) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    for (const char* method : {"BYE", "OPTIONS", "ACK", "FETCH", "CANCEL"}) {
        EXPECT_EQ(world.receive_response(response_text(bob.request, 200, "bob1", method)).kind,
                  Kind::Stray)
            << method;
    }
    ClientPeer bye = world.client("BYE");
    EXPECT_EQ(world.receive_response(response_text(bye.request, 200, "bob1", "CANCEL")).kind,
              Kind::Stray);
    EXPECT_EQ(world.receive_response(response_text(bye.request, 200, "bob1", "INVITE")).kind,
              Kind::Stray);
    EXPECT_TRUE(world.layer->is_pending(bye.start.client));
}

TEST(ClientMatching_Rfc3261_17_1_3, ExtensionMethodsAreToldApart) {
    LayerWorld world;
    ClientPeer bob = world.client("FETCH");
    EXPECT_EQ(world.receive_response(response_text(bob.request, 200, "bob1", "STORE")).kind,
              Kind::Stray);
    EXPECT_EQ(bob.answers(200).kind, Kind::Pass);
}

TEST(ClientMatching_Rfc3261_17_1_3, ABranchInAnotherCaseIsOurs) {
    LayerWorld world;
    ClientPeer bob = world.client("OPTIONS");
    RequestText request = bob.request;
    for (size_t at = request.via.find("branch=") + 7; at < request.via.size(); ++at) {
        char& c = request.via[at];
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    EXPECT_EQ(world.receive_response(response_text(request, 200, "bob1")).kind, Kind::Pass);
}

TEST(ClientMatching_Rfc3261_9_1, AResponseToACancelThatWasNotSentIsStray) {
    LayerWorld world;
    ClientPeer bob = world.client("INVITE");
    bob.cancel();
    EXPECT_EQ(bob.answers_cancel(200).kind, Kind::Stray);
}

TEST(ClientMatching_Behaviour, AReservedPlaceTakesNoResponse) {
    LayerWorld world;
    const ClientStart start = world.layer->reserve_client(sip::Method::Invite, 0, 1);
    RequestText request;
    request.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=" + std::string(start.branch.view());
    EXPECT_EQ(world.receive_response(response_text(request, 200, "bob1")).kind, Kind::Stray);
}

TEST(ClientMatching_Behaviour, TheNextTransactionInAPlaceIgnoresResponsesToTheLast) {
    LayerWorld world;
    ClientPeer first = world.client("OPTIONS", transport::Transport::Tcp);
    first.answers(200);
    ClientPeer second = world.client("OPTIONS", transport::Transport::Tcp);
    ASSERT_EQ(first.start.client.index, second.start.client.index);
    EXPECT_EQ(first.answers(200).kind, Kind::Stray);
    EXPECT_EQ(second.answers(200).kind, Kind::Pass);
}

}  // namespace signalbox::transaction
