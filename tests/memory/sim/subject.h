// What a random program runs on: the pools of some simulated devices, or something in their place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/memory/pool.h"
#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

/// What a subject can, where not all do: programs do without the rest.
enum class Feature : unsigned {
  Reuse,            // the device is asked for more only if no idle block fits
  KeepsOwn,         // ... and another stream that may have it leaves the rest of it alone, also
                    // where it lies beside memory of its own
  Trim,             // give back so many bytes
  Capture,          // private pools, and streams that are being captured
  StreamDestroyed,  // a stream may go while blocks of it, or used on it, are live
  PeerUse,          // blocks may be used on streams of other devices
};

/// An allocator of several devices, numbered from 1. What a call is for is said in pool.h.
class Subject {
 public:
  Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  virtual ~Subject() = default;

  virtual bool has(Feature) const { return false; }
  virtual Block* allocate(std::size_t bytes, StreamId stream, PoolId id) = 0;
  virtual void free(Block* block) = 0;
  virtual void free(Block* block, StreamId stream) = 0;
  virtual void record_use(Block* block, StreamId stream) = 0;
  virtual void empty_cache(unsigned device) = 0;
  virtual void trim(unsigned /*device*/, std::size_t /*bytes*/) {}
  virtual void set_limit(unsigned /*device*/, std::size_t /*bytes*/) {}
  virtual PoolId open_private(unsigned /*device*/) { return PoolId::Shared; }
  virtual void end_private(unsigned /*device*/, PoolId) {}
  /// The streams that its graph was replayed on, where the user has not waited for that.
  virtual void close_private(unsigned /*device*/, PoolId, const std::vector<StreamId>&) {}

  // What the user does with streams and events. `before_wait` comes before each wait of the host.
  virtual void before_wait() {}
  virtual void stream_synchronized(StreamId) {}
  virtual void device_synchronized(unsigned /*device*/) {}
  virtual void event_recorded(EventHandle, StreamId) {}  // just before
  virtual void event_waited(EventHandle, StreamId) {}    // by the stream
  virtual void event_seen(EventHandle) {}                // passed, by the host
  virtual void stream_destroyed(StreamId) {}             // just before
  virtual void replayed(StreamId) {}                     // a graph, just before

  virtual std::string verify(unsigned device) = 0;
  virtual std::size_t reserved(unsigned device) = 0;
  /// What a request takes from the driver at most where everything idle has been given back.
  virtual std::size_t footprint(std::size_t bytes) const = 0;
};

/// Pools under test, and the order of the streams that they share.
class PoolSubject : public Subject {
 public:
  explicit PoolSubject(SimMachine& machine);
  bool has(Feature feature) const override { return feature != Feature::KeepsOwn; }
  Block* allocate(std::size_t bytes, StreamId stream, PoolId id) override {
    return pool(stream.device()).allocate(bytes, now(stream), id);
  }
  void free(Block* b) override { b->pool->free(b); }
  void free(Block* b, StreamId stream) override { b->pool->free(b, now(stream)); }
  void record_use(Block* b, StreamId stream) override { b->pool->record_use(b, now(stream)); }
  PoolId open_private(unsigned device) override { return pool(device).open_private(); }
  void end_private(unsigned device, PoolId id) override;
  void close_private(unsigned device, PoolId id, const std::vector<StreamId>& replays) override;
  void empty_cache(unsigned device) override { pool(device).empty_cache(); }
  void trim(unsigned device, std::size_t keep) override { pool(device).trim(keep); }
  void set_limit(unsigned device, std::size_t bytes) override { pool(device).set_limit(bytes); }
  void before_wait() override;
  void stream_synchronized(StreamId stream) override;
  void device_synchronized(unsigned device) override;
  void event_recorded(EventHandle e, StreamId s) override { marks_[e] = order_.recording(now(s)); }
  void event_waited(EventHandle e, StreamId s) override { order_.waited(now(s), marks_[e]); }
  void event_seen(EventHandle e) override { order_.seen(marks_[e]); }
  void stream_destroyed(StreamId stream) override;
  void replayed(StreamId stream) override { order_.know(stream); }
  std::string verify(unsigned device) override { return pool(device).verify(); }
  std::size_t reserved(unsigned device) override { return pool(device).stats().reserved.current; }
  std::size_t footprint(std::size_t bytes) const override;

  Pool& pool(unsigned device) { return *pools_[device - 1]; }

 private:
  /// The stream, or what it is in the capture that it is part of.
  StreamId now(StreamId stream);

  SimMachine& machine_;
  const std::size_t granularity_;
  memory::Order order_;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::unordered_map<EventHandle, memory::Mark> marks_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, StreamId> captured_;  // by capture and stream
  std::map<std::pair<unsigned, PoolId>, std::vector<StreamId>> streams_;  // of a private pool
  std::vector<std::vector<memory::Point>> points_;  // of the wait under way, by device
};

/// An allocator too simple to be wrong, which can do everything: each block is an allocation of the
/// driver's, given back only after a synchronisation. What programs do is legal if it passes.
class PlainSubject final : public Subject {
 public:
  explicit PlainSubject(SimMachine& machine);
  ~PlainSubject() override;
  bool has(Feature feature) const override {
    return feature > Feature::Trim;  // it has no cache
  }
  Block* allocate(std::size_t bytes, StreamId stream, PoolId id) override;
  void free(Block* block) override;
  void free(Block* block, StreamId) override { free(block); }
  void record_use(Block*, StreamId) override {}
  void empty_cache(unsigned device) override;
  PoolId open_private(unsigned) override { return PoolId{++last_private_}; }
  void close_private(unsigned, PoolId id, const std::vector<StreamId>& replays) override;
  std::string verify(unsigned) override { return ""; }
  std::size_t reserved(unsigned device) override { return reserved_[device]; }
  std::size_t footprint(std::size_t bytes) const override;

 private:
  struct Owned {
    std::unique_ptr<Block> block;
    PoolId id;
    bool freed = false;
  };
  SimMachine& machine_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  std::vector<std::size_t> reserved_;
  std::vector<Owned> blocks_;
  std::uint32_t last_private_ = 0;
  std::vector<PoolId> open_;
};

}  // namespace tandem::test
