// The form of the four machines' state tables: rows of data, looked up in constant time.
// Implements: RFC 3261 §17
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace signalbox::transaction {

/// What a machine answers to an event. A cell that the RFC's figure does not show is not legal: the
/// event is discarded.
template <class State>
struct Transition {
    State next;
    uint16_t actions;  // bits of client_action or server_action
    bool legal;
};

/// One arrow of a figure.
template <class State, class Event>
struct Arrow {
    State state;
    Event event;
    State next;
    uint16_t actions;
};

/// A figure: for each state and event at most one arrow. Built by the compiler.
template <class State, class Event, size_t kStates, size_t kEvents>
class StateTable final {
 public:
    constexpr StateTable(std::initializer_list<Arrow<State, Event>> arrows) {
        for (size_t state = 0; state < kStates; ++state) {
            for (size_t event = 0; event < kEvents; ++event) {
                cells_[state][event] = {static_cast<State>(state), 0, false};
            }
        }
        for (const Arrow<State, Event>& arrow : arrows) {
            cells_[index(arrow.state)][index(arrow.event)] = {arrow.next, arrow.actions, true};
        }
    }

    constexpr Transition<State> at(State state, Event event) const {
        return cells_[index(state)][index(event)];
    }

 private:
    template <class Enum>
    static constexpr size_t index(Enum value) {
        return static_cast<size_t>(value);
    }

    std::array<std::array<Transition<State>, kEvents>, kStates> cells_{};
};

}  // namespace signalbox::transaction
