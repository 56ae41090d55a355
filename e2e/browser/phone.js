// A browser phone on JsSIP: it registers, answers every call, goes where it is referred to, and sends a tone of its own. Whoever
// drives the page calls the functions of `phone` and asks for its state.
"use strict";

const phone = (() => {
    const calls = []; // in the order in which they began; a call is named by its place
    let agent = null;
    let tone = 0;
    let registration = { state: "none" };

    JsSIP.debug.enable("JsSIP:Transport,JsSIP:WARN:*,JsSIP:ERROR:*");

    function say(text) {
        console.log(text);
        document.getElementById("said").append(Object.assign(document.createElement("li"), { textContent: text }));
    }

    const media = () => ({ mediaStream: toneStream(tone), pcConfig: { iceServers: [] } });

    function keep({ originator, session }) {
        const call = { session, number: calls.length, isIncoming: originator === "remote", state: "begun", cause: "", ear: null };
        calls.push(call);
        const enter = (state, by, cause) => {
            call.state = state;
            call.cause = cause ? `${cause}, ${by}` : "";
            say(`call ${call.number} with ${session.remote_identity.uri}: ${state} ${call.cause}`);
        };
        const hear = (connection) => connection.addEventListener("track", ({ track }) => { call.ear = new Ear(new MediaStream([track])); });
        if (session.connection) hear(session.connection);
        session.on("peerconnection", ({ peerconnection }) => hear(peerconnection));
        session.on("confirmed", () => enter("up"));
        session.on("ended", ({ originator: by, cause }) => enter("over", by, cause));
        session.on("failed", ({ originator: by, cause }) => enter("over", by, cause));
        session.on("refer", (referral) => {
            call.referredTo = String(referral.request.refer_to.uri);
            say(`call ${call.number}: referred to ${call.referredTo}`);
            referral.accept(null, media());
        });
        session.on("replaces", (replacement) => {
            call.replacedAt = String(replacement.request.ruri);
            say(`call ${call.number}: replaced by an INVITE to ${call.replacedAt}`);
            replacement.accept();
        });
        enter("begun");
        // JsSIP sends its 180 after this event.
        if (call.isIncoming) setTimeout(() => session.answer(media()));
    }

    function register({ url, user, password, domain, hertz }) {
        tone = hertz;
        agent = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri: `sip:${user}@${domain}`, password, register_expires: 300 });
        const enter = (state, why) => {
            registration = { state, why: String(why) };
            say(`${state}: ${why}`);
        };
        agent.on("newRTCSession", keep);
        agent.on("registered", () => enter("registered", agent.contact));
        agent.on("registrationFailed", ({ cause }) => enter("refused", cause));
        agent.on("disconnected", ({ error, reason }) => enter(error ? "unconnected" : "stopped", reason));
        agent.start();
    }

    function forgetGruus() {
        agent.contact.pub_gruu = agent.contact.temp_gruu = null;
    }

    // Begins a call and gives its number.
    function dial(target) {
        agent.call(target, media());
        return calls.length - 1;
    }

    // Asks the peer of a call to call `target`, or, without one, the Contact of the peer of another call, which that shall replace.
    // JsSIP keeps the remote target of a dialog to itself.
    function refer(number, target, replaced) {
        const call = calls[number];
        const other = replaced === undefined ? null : calls[replaced].session;
        const referral = call.session.refer(target || other._dialog._remote_target, other ? { replaces: other } : {});
        call.referral = "sent";
        referral.on("trying", () => { call.referral = "trying"; });
        referral.on("accepted", () => { call.referral = "accepted"; });
        referral.on("failed", ({ status_line }) => { call.referral = `failed with ${status_line.status_code}`; });
        referral.on("requestFailed", ({ cause }) => { call.referral = `refused: ${cause}`; });
    }

    const hangUp = (number) => calls[number].session.terminate();

    // How strong each of the frequencies is in what a call's peer sends now.
    const strengths = (number, frequencies) => (calls[number].ear ? calls[number].ear.strengths(frequencies) : frequencies.map(() => 0));

    const state = () => ({
        registration,
        contact: agent && String(agent.contact.uri), // as registered, whatever GRUU stands for it
        calls: calls.map(({ session, number, isIncoming, state, cause, referral, referredTo, replacedAt }) => (
            { number, isIncoming, state, cause, referral, referredTo, replacedAt, peer: String(session.remote_identity.uri) })),
    });

    return { register, forgetGruus, dial, refer, hangUp, strengths, state };
})();
