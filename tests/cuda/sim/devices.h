// Whose memory is whose on the simulated machine: three devices, of which 0 and 1 reach each other.
#pragma once

#include <cstddef>

namespace sim {

inline constexpr int kDevices = 3;
inline constexpr int kHost = -1;

void own_memory(const void* p, std::size_t bytes, int owner);
void disown_memory(const void* p);
/// The owner of an address; kHost for memory that no call of the runtime gave.
int owner_of(const void* p);
/// Whether it is pinned memory of the host.
bool pinned(const void* p);
/// Whether a device may use memory: its own, the host's, or that of a peer whose access is enabled.
bool reaches(int device, const void* p);
/// Whether memory is one piece of what a device was given.
bool holds(int device, const void* p, std::size_t bytes);
bool can_reach_peer(int device, int peer);

}  // namespace sim
