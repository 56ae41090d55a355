// Tones: one that is sent instead of a microphone's sound, and the ear that finds one in what another phone sent.
"use strict";

const audio = new AudioContext();

// A stream that carries a sine of that frequency and nothing else.
function toneStream(hertz) {
    const oscillator = new OscillatorNode(audio, { frequency: hertz });
    const quieter = new GainNode(audio, { gain: 0.4 });
    const stream = new MediaStreamAudioDestinationNode(audio);
    oscillator.connect(quieter).connect(stream);
    oscillator.start();
    return stream.stream;
}

// The share of the signal's energy at that frequency, by Goertzel's algorithm: near 1 for a pure tone, 0 for silence.
function strength(samples, hertz) {
    const turn = 2 * Math.cos(2 * Math.PI * hertz / audio.sampleRate);
    let before = 0, last = 0, energy = 0;
    for (const sample of samples) {
        [before, last] = [last, sample + turn * last - before];
        energy += sample * sample;
    }
    if (energy < samples.length * 1e-6) return 0;
    return 2 * (last * last + before * before - turn * last * before) / (samples.length * energy);
}

// Listens to a stream. strengths(): of each frequency in the last samples, more than a tenth of a second of them.
class Ear {
    constructor(stream) {
        // Chromium decodes what a peer sends only while an element plays it.
        this.player = new Audio();
        this.player.muted = true;
        this.player.srcObject = stream;
        this.player.play();
        this.analyser = new AnalyserNode(audio, { fftSize: 8192 });
        audio.createMediaStreamSource(stream).connect(this.analyser);
    }

    strengths(frequencies) {
        const samples = new Float32Array(this.analyser.fftSize);
        this.analyser.getFloatTimeDomainData(samples);
        return frequencies.map((hertz) => strength(samples, hertz));
    }
}
