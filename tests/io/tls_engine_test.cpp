// TLS over pairs of strings: who is believed, which certificate is shown, what broken octets do.
// Covers RFC 3261 §26.2.1 (both sides may have to prove themselves), RFC 5922 §7.1, §7.2, §7.3
// (whom a certificate speaks for), §7.4 (clients), RFC 6066 §3 (SNI), RFC 5924 §4, RFC 5246, RFC
// 8446, RFC 8996 (TLS 1.2 at least), RFC 5280 §4.1. Not covered: revocation, which is not checked.
#include "io/tls_engine.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include "io/reactor.h"
#include "io/self_signed_certificate.h"
#include "io/tls_identity.h"
#include "tests/io/test_certificates.h"

namespace signalbox::io {
namespace {

using State = TlsEngine::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const IpAddress kAddress = IpAddress::v4(192, 0, 2, 9);

/// A client and a server whose wires are joined.
struct Pair {
    Pair(std::shared_ptr<const TlsServer> server_side, std::shared_ptr<const TlsClient> client_side,
         std::string_view domain)
        : server(std::move(server_side)), client(std::move(client_side), domain, kAddress) {}

    /// Carries octets until nobody says anything any more.
    void run() {
        client.begin(to_server);
        for (int round = 0; round < 20 && !(to_server.empty() && to_client.empty()); ++round) {
            const std::string up = std::exchange(to_server, {});
            if (!up.empty() && server.state() != State::Failed)
                server.receive(up, at_server, to_client);
            const std::string down = std::exchange(to_client, {});
            if (!down.empty() && client.state() != State::Failed)
                client.receive(down, at_client, to_server);
        }
    }
    bool is_established() const {
        return server.state() == State::Established && client.state() == State::Established;
    }

    TlsEngine server;
    TlsEngine client;
    std::string to_server, to_client, at_server, at_client;
};

struct TlsTest : ::testing::Test {
    std::shared_ptr<const TlsServer> server(std::vector<CertificateFiles> pairs,
                                            ClientCertificate ask = ClientCertificate::Ask) {
        auto made = TlsServer::make({std::move(pairs), ask}, trust(), now());
        EXPECT_TRUE(made) << (made ? "" : made.error());
        return made ? *made : nullptr;
    }
    std::shared_ptr<const TlsClient> client(bool is_verifying = true, CertificateFiles own = {}) {
        auto made = TlsClient::make({is_verifying, std::move(own)}, trust(), now());
        EXPECT_TRUE(made) << (made ? "" : made.error());
        return made ? *made : nullptr;
    }
    /// Whether the server and a client of these versions agree.
    bool agrees_with(int lowest, int highest) {
        const auto other = client();
        ::SSL_CTX_set_security_level(other->context(), 0);
        ::SSL_CTX_set_min_proto_version(other->context(), lowest);
        ::SSL_CTX_set_max_proto_version(other->context(), highest);
        Pair pair(server({issue("example.test")}), other, "example.test");
        pair.run();
        return pair.is_established();
    }
    std::string refusal(const CertificateFiles& files) {
        const auto made = TlsServer::make({{files}, ClientCertificate::Ask}, trust(), now());
        return made ? "" : made.error();
    }
    TrustStore trust() { return std::move(*TrustStore::load(certificates.authority_file())); }
    static WallTime now() { return read_clocks().wall; }
    CertificateFiles issue(const std::string& domain) {
        return certificates.issue(domain, {.name = domain, .alternative = "DNS:" + domain});
    }

    TestCertificates certificates;
};

using TlsEngine_Behaviour = TlsTest;
using TlsEngine_Rfc5922_7_3 = TlsTest;
using TlsEngine_Rfc5922_7_1 = TlsTest;
using TlsEngine_Rfc6066_3 = TlsTest;
using TlsEngine_Rfc5246 = TlsTest;
using TlsEngine_Rfc8446 = TlsTest;
using TlsEngine_Rfc8996 = TlsTest;
using TlsEngine_Rfc3261_26_2_1 = TlsTest;
using TlsEngine_Rfc5922_7_4 = TlsTest;
using SelfSigned_Rfc5280_4_1 = TlsTest;
using TlsServer_Behaviour = TlsTest;
using TlsIdentity_Rfc5922_7_1 = TlsTest;

TEST_F(TlsEngine_Behaviour, CarriesOctetsBothWaysOnceAgreed) {
    Pair pair(server({issue("example.test")}), client(), "example.test");
    pair.run();
    ASSERT_TRUE(pair.is_established()) << pair.client.trouble() << pair.server.trouble();
    const std::string large(100'000, 'x');
    ASSERT_TRUE(pair.client.send(large, pair.to_server));
    ASSERT_TRUE(pair.server.send("answer", pair.to_client));
    pair.run();
    EXPECT_EQ(pair.at_server, large);
    EXPECT_EQ(pair.at_client, "answer");
    EXPECT_TRUE(pair.server.is_between_records());
}

TEST_F(TlsEngine_Behaviour, ARecordInPiecesIsOneThatIsNotWhole) {
    Pair pair(server({issue("example.test")}), client(), "example.test");
    pair.run();
    pair.client.send("hello", pair.to_server);
    const std::string record = std::exchange(pair.to_server, {});
    for (size_t at = 0; at < record.size(); ++at) {
        EXPECT_EQ(pair.at_server, "");
        EXPECT_EQ(pair.server.is_between_records(), at == 0) << at;
        EXPECT_EQ(pair.server.receive(record.substr(at, 1), pair.at_server, pair.to_client),
                  State::Established);
    }
    EXPECT_EQ(pair.at_server, "hello");
}

TEST_F(TlsEngine_Behaviour, AHandshakeInPiecesSucceeds) {
    Pair pair(server({issue("example.test")}), client(), "example.test");
    pair.client.begin(pair.to_server);
    for (const char octet : std::exchange(pair.to_server, {})) {
        pair.server.receive({&octet, 1}, pair.at_server, pair.to_client);
    }
    pair.client.receive(std::exchange(pair.to_client, {}), pair.at_client, pair.to_server);
    pair.server.receive(std::exchange(pair.to_server, {}), pair.at_server, pair.to_client);
    EXPECT_TRUE(pair.is_established());
}

TEST_F(TlsEngine_Behaviour, BrokenOctetsFailItWithAReason) {
    for (const bool is_before : {true, false}) {
        Pair pair(server({issue("example.test")}), client(), "example.test");
        if (!is_before) pair.run();
        const State state =
            pair.server.receive("OPTIONS sip:a SIP/2.0\r\n\r\n", pair.at_server, pair.to_client);
        EXPECT_EQ(state, State::Failed);
        EXPECT_NE(pair.server.trouble(), "");
        EXPECT_FALSE(pair.server.send("x", pair.to_client));
    }
}

TEST_F(TlsEngine_Behaviour, AForgedRecordIsNoticed) {
    Pair pair(server({issue("example.test")}), client(), "example.test");
    pair.run();
    pair.client.send("hello", pair.to_server);
    pair.to_server.back() ^= 1;
    EXPECT_EQ(pair.server.receive(pair.to_server, pair.at_server, pair.to_client), State::Failed);
    EXPECT_EQ(pair.at_server, "");
    EXPECT_NE(pair.to_client, "") << "the peer is told by an alert";
}

TEST_F(TlsEngine_Behaviour, CloseNotifyEndsTheOtherSide) {
    Pair pair(server({issue("example.test")}), client(), "example.test");
    pair.run();
    pair.client.send("last words", pair.to_server);
    pair.client.shut_down(pair.to_server);
    EXPECT_EQ(pair.server.receive(pair.to_server, pair.at_server, pair.to_client),
              State::PeerClosed);
    EXPECT_EQ(pair.at_server, "last words");
}

TEST_F(TlsEngine_Rfc8996, AnOlderVersionThan12IsRefused) {
    EXPECT_FALSE(agrees_with(TLS1_VERSION, TLS1_1_VERSION));
}

TEST_F(TlsEngine_Rfc8446, Version13IsSpokenWithWhoKnowsNoOther) {
    EXPECT_TRUE(agrees_with(TLS1_3_VERSION, TLS1_3_VERSION));
}

TEST_F(TlsEngine_Rfc5246, Version12IsSpokenWithWhoKnowsNoNewer) {
    EXPECT_TRUE(agrees_with(TLS1_VERSION, TLS1_2_VERSION));
}

TEST_F(TlsEngine_Behaviour, AnIdleConnectionCostsLessThan32KiB) {
    const auto one = server({issue("example.test")});
    const auto other = client(false);
    constexpr size_t kPairs = 100;
    std::vector<std::unique_ptr<Pair>> pairs;
    {
        Pair warm_up(one, other, "example.test");
        warm_up.run();
    }
    const size_t before = ::mallinfo2().uordblks;
    for (size_t i = 0; i < kPairs; ++i) {
        pairs.push_back(std::make_unique<Pair>(one, other, "example.test"));
        pairs.back()->run();
        ASSERT_TRUE(pairs.back()->is_established());
        for (std::string* text : {&pairs.back()->to_server, &pairs.back()->to_client,
                                  &pairs.back()->at_server, &pairs.back()->at_client})
            std::string().swap(*text);
    }
    const size_t each = (::mallinfo2().uordblks - before) / (2 * kPairs);
    RecordProperty("bytes_each", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(each, 32u * 1024);
    EXPECT_GT(each, 1024u) << "the measure itself is broken";
#endif
}

/// OpenSSL would put a chain together out of the authorities that we trust, in every handshake.
TEST_F(TlsServer_Behaviour, ShowsTheChainOfItsFileAndLooksForNoOther) {
    const auto other = client();
    ::SSL_CTX_set_max_proto_version(other->context(), TLS1_2_VERSION);  // certificates can be read
    Pair pair(server({issue("example.test")}), other, "example.test");
    pair.client.begin(pair.to_server);
    pair.server.receive(pair.to_server, pair.at_server, pair.to_client);
    const std::string name = "Test Authority";
    const size_t issuer = pair.to_client.find(name);
    ASSERT_NE(issuer, std::string::npos);
    EXPECT_EQ(pair.to_client.find(name, issuer + 1), std::string::npos)
        << "the authority's own certificate went out as well";
}

TEST_F(TlsEngine_Rfc5922_7_3, AServerMustSpeakForTheDomainThatWasAskedFor) {
    const auto right = server({issue("example.test")});
    Pair pair(right, client(), "other.test");
    pair.run();
    EXPECT_EQ(pair.client.state(), State::Failed);
    EXPECT_TRUE(pair.client.is_certificate_refused());
    EXPECT_THAT(pair.client.trouble(), HasSubstr("other.test"));
    Pair same(right, client(), "EXAMPLE.test");
    same.run();
    EXPECT_TRUE(same.is_established());
    Pair careless(right, client(false), "other.test");
    careless.run();
    EXPECT_TRUE(careless.is_established()) << "verify_servers = false";
}

TEST_F(TlsEngine_Rfc5922_7_3, AnAddressMustStandInTheCertificate) {
    Pair pair(server({certificates.issue("a", {.alternative = "IP:192.0.2.9"})}), client(), "");
    pair.run();
    EXPECT_TRUE(pair.is_established());
    Pair wrong(server({certificates.issue("b", {.alternative = "IP:192.0.2.8"})}), client(), "");
    wrong.run();
    EXPECT_TRUE(wrong.client.is_certificate_refused());
}

TEST_F(TlsEngine_Rfc5922_7_3, ACertificateOfNobodyWeTrustIsRefused) {
    TestCertificates foreign;
    Pair pair(server({foreign.issue("x", {.alternative = "DNS:example.test"})}), client(),
              "example.test");
    pair.run();
    EXPECT_EQ(pair.client.state(), State::Failed);
    EXPECT_TRUE(pair.client.is_certificate_refused());
    EXPECT_EQ(pair.server.state(), State::Failed) << "an alert came";
}

TEST_F(TlsEngine_Rfc5922_7_1, AClientIsWhomItsCertificateSpeaksFor) {
    const auto listener = server({issue("example.test")});
    const CertificateFiles peer = certificates.issue(
        "peer", {.alternative = "URI:sip:Peer.test,DNS:alias.test", .usages = "clientAuth"});
    Pair pair(listener, client(true, peer), "example.test");
    pair.run();
    ASSERT_TRUE(pair.is_established());
    EXPECT_THAT(pair.server.client_identities(), ElementsAre("peer.test", "alias.test"));
    Pair anonymous(listener, client(), "example.test");
    anonymous.run();
    ASSERT_TRUE(anonymous.is_established()) << "none is no hindrance";
    EXPECT_THAT(anonymous.server.client_identities(), IsEmpty());
}

TEST_F(TlsEngine_Rfc5922_7_1, AClientsCertificateThatNobodyVouchesForProvesNothing) {
    TestCertificates foreign;
    const CertificateFiles forged = foreign.issue("x", {.alternative = "DNS:peer.test"});
    Pair pair(server({issue("example.test")}), client(true, forged), "example.test");
    pair.run();
    ASSERT_TRUE(pair.is_established()) << pair.client.trouble() << "; " << pair.server.trouble();
    EXPECT_THAT(pair.server.client_identities(), IsEmpty());
    Pair strict(server({issue("example.test")}, ClientCertificate::Require), client(true, forged),
                "example.test");
    strict.run();
    EXPECT_EQ(strict.server.state(), State::Failed);
}

TEST_F(TlsEngine_Rfc5922_7_4, WhoMustShowACertificateAndHasNoneIsRefused) {
    const auto listener = server({issue("example.test")}, ClientCertificate::Require);
    Pair without(listener, client(), "example.test");
    without.run();
    EXPECT_EQ(without.server.state(), State::Failed);
    const CertificateFiles own = certificates.issue("own", {.alternative = "URI:sip:peer.test"});
    Pair with(listener, client(true, own), "example.test");
    with.run();
    EXPECT_TRUE(with.is_established());
    EXPECT_THAT(with.server.client_identities(), ElementsAre("peer.test"));
}

TEST_F(TlsEngine_Rfc3261_26_2_1, ACipherWithoutForwardSecrecyIsRefusedInBothRoles) {
    const CertificateFiles rsa =
        certificates.issue("rsa", {.alternative = "DNS:example.test", .is_rsa = true});
    const auto agrees = [&](bool is_server, const char* cipher) {
        const auto listener = server({rsa});
        const auto caller = client();
        SSL_CTX* const old = is_server ? listener->context() : caller->context();
        ::SSL_CTX_set_security_level(old, 0);
        ::SSL_CTX_set_max_proto_version(old, TLS1_2_VERSION);
        EXPECT_EQ(::SSL_CTX_set_cipher_list(old, cipher), 1);
        Pair pair(listener, caller, "example.test");
        pair.run();
        return pair.is_established();
    };
    for (const bool is_server : {false, true}) {
        EXPECT_FALSE(agrees(is_server, "AES128-SHA")) << "TLS_RSA_WITH_AES_128_CBC_SHA";
        EXPECT_FALSE(agrees(is_server, "AES128-GCM-SHA256"));
        EXPECT_TRUE(agrees(is_server, "ECDHE-RSA-AES128-GCM-SHA256"));
    }
}

TEST_F(TlsEngine_Rfc3261_26_2_1, OneSideOrBothProveThemselves) {
    const CertificateFiles own = certificates.issue("own", {.alternative = "DNS:peer.test"});
    const auto listener = server({issue("example.test")});
    for (const bool is_mutual : {false, true}) {
        Pair pair(listener, client(true, is_mutual ? own : CertificateFiles{}), "example.test");
        pair.run();
        ASSERT_TRUE(pair.is_established()) << pair.client.trouble();
        EXPECT_EQ(pair.server.client_identities().size(), is_mutual ? 1U : 0U);
    }
}

TEST_F(TlsEngine_Rfc6066_3, TheClientGetsTheCertificateOfTheDomainItNames) {
    const auto both = server({issue("one.test"), issue("two.test")});
    for (const char* domain : {"one.test", "two.test"}) {
        Pair pair(both, client(), domain);
        pair.run();
        EXPECT_TRUE(pair.is_established()) << domain;
    }
    Pair other(both, client(false), "three.test");
    other.run();
    EXPECT_TRUE(other.is_established()) << "an unknown name gets the first one";
}

TEST_F(TlsServer_Behaviour, SaysWhichFileIsWrongAndWhy) {
    const CertificateFiles right = issue("example.test");
    const CertificateFiles other = issue("other.test");
    EXPECT_EQ(refusal(right), "");
    EXPECT_EQ(refusal({"/nowhere/c.pem", right.private_key}),
              "The certificate /nowhere/c.pem cannot be read: No such file or directory.");
    EXPECT_THAT(refusal({right.certificate, "/nowhere/k.pem"}),
                HasSubstr("The private key /nowhere/k.pem cannot be read"));
    EXPECT_THAT(refusal({right.private_key, right.private_key}),
                HasSubstr("holds no PEM certificate"));
    EXPECT_THAT(refusal({right.certificate, right.certificate}), HasSubstr("holds no PEM key"));
    EXPECT_EQ(refusal({right.certificate, other.private_key}),
              "The private key " + other.private_key + " does not belong to the certificate " +
                  right.certificate + ".");
    const CertificateFiles old = certificates.issue("old", {.valid_to = -10});
    EXPECT_THAT(refusal(old), HasSubstr(old.certificate + " has expired"));
    const CertificateFiles early = certificates.issue("new", {.valid_from = 600});
    EXPECT_THAT(refusal(early), HasSubstr("is not valid yet"));
    EXPECT_THAT(TrustStore::load("/nowhere/ca.pem").error(), HasSubstr("/nowhere/ca.pem"));
}

TEST_F(TlsServer_Behaviour, KnowsWhichCertificateExpiresFirst) {
    constexpr long kDay = 24 * 3600;
    const CertificateFiles late = certificates.issue("late", {.valid_to = 90 * kDay + 60});
    const CertificateFiles soon = certificates.issue("soon", {.valid_to = 5 * kDay + 60});
    const auto made = server({late, soon});
    EXPECT_EQ(made->days_left(), 5);
    EXPECT_EQ(made->first_to_expire(), soon.certificate);
}

TEST_F(TlsServer_Behaviour, ACertificateOfOurOwnMakingServesItsNames) {
    const CertificateFiles files{certificates.path("own.pem"), certificates.path("own.key")};
    const auto made = write_self_signed(files, {"box.test", "192.0.2.1"}, {kAddress}, now());
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(std::filesystem::status(files.private_key).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    auto trust_it = TrustStore::load(files.certificate);
    const auto verifying = TlsClient::make({true, {}}, *trust_it, now());
    for (const char* domain : {"box.test", ""}) {
        Pair pair(server({files}), *verifying, domain);
        pair.run();
        EXPECT_TRUE(pair.is_established()) << pair.client.trouble();
    }
    EXPECT_THAT(write_self_signed({"/nowhere/c.pem", "/nowhere/k.pem"}, {"a"}, {}, now()).error(),
                HasSubstr("/nowhere/k.pem"));
}

TEST_F(SelfSigned_Rfc5280_4_1, HasWhatACertificateMustHave) {
    const CertificateFiles files{certificates.path("own.pem"), certificates.path("own.key")};
    ASSERT_TRUE(write_self_signed(files, {"box.test"}, {kAddress}, now()));
    std::FILE* in = std::fopen(files.certificate.c_str(), "r");
    const CertificatePtr made(::PEM_read_X509(in, nullptr, nullptr, nullptr));
    std::fclose(in);
    ASSERT_NE(made, nullptr);
    EXPECT_EQ(::X509_get_version(made.get()), X509_VERSION_3);
    const ASN1_INTEGER* const serial = ::X509_get0_serialNumber(made.get());
    EXPECT_GT(::ASN1_INTEGER_get(serial), 0) << "§4.1.2.2: positive";
    EXPECT_LE(serial->length, 20) << "§4.1.2.2: at most 20 octets";
    EXPECT_EQ(
        ::X509_NAME_cmp(::X509_get_issuer_name(made.get()), ::X509_get_subject_name(made.get())),
        0);
    EXPECT_EQ(::X509_verify(made.get(), ::X509_get0_pubkey(made.get())), 1);
    EXPECT_EQ(::X509_get_signature_nid(made.get()), NID_ecdsa_with_SHA256);
    EXPECT_LT(::X509_cmp_current_time(::X509_get0_notBefore(made.get())), 0);
    EXPECT_GT(::X509_cmp_current_time(::X509_get0_notAfter(made.get())), 0);
}

TEST_F(TlsIdentity_Rfc5922_7_1, SipUrisWithoutUserAndDnsNamesAreIdentities) {
    const auto identities = [this](const CertificateText& text) {
        return domain_identities(certificates.make(text).get());
    };
    EXPECT_THAT(identities({.alternative = "URI:sip:A.test,URI:sip:bob@b.test,URI:sips:c.test,"
                                           "URI:http://d.test,DNS:E.test,email:x@f.test"}),
                ElementsAre("a.test", "e.test"));
    EXPECT_THAT(identities({.name = "common.test"}), ElementsAre("common.test"));
    EXPECT_THAT(identities({.name = "common.test", .alternative = "IP:192.0.2.1"}), IsEmpty());
    EXPECT_THAT(identities({.alternative = "DNS:*.wild.test"}), IsEmpty()) << "§7.2: no wildcards";
}

TEST_F(TlsIdentity_Rfc5922_7_1, OtherKeyUsagesExcludeSip) {
    const auto count = [this](const char* usages) {
        const CertificateText text{.alternative = "DNS:a.test", .usages = usages};
        return domain_identities(certificates.make(text).get()).size();
    };
    EXPECT_EQ(count("serverAuth"), 1u);
    EXPECT_EQ(count("1.3.6.1.5.5.7.3.20"), 1u) << "RFC 5924: id-kp-sipDomain";
    EXPECT_EQ(count("emailProtection"), 0u);
}

}  // namespace
}  // namespace signalbox::io
