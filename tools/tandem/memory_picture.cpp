// Draws a memory snapshot: rows of each segment, coloured by what is there, and a legend.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>

#include "tandem/io.h"
#include "tandem/ops.h"
#include "tools/tandem/memory_file.h"
#include "tools/tandem/memory_font.h"

namespace tandem::command {
namespace {

using State = MemoryRange::State;

struct Colour {
  std::uint8_t r, g, b;
};

constexpr int kBar = 1024, kMargin = 16, kWidth = kBar + 2 * kMargin;
constexpr int kScale = 2, kLine = (kLetterRows + 3) * kScale, kRow = 16, kGap = 3;
constexpr std::size_t kWantedRows = 160, kMostLines = 600;
constexpr std::size_t kLegendColumns = 2, kTextColumns = 40;

constexpr Colour kPaper{255, 255, 255}, kInk{20, 20, 20}, kRest{110, 110, 110};
constexpr Colour kFree{222, 226, 230}, kSlabFree{190, 200, 212}, kPending{230, 60, 40},
    kMoving{120, 60, 160}, kFrame{150, 150, 150};
/// For the tags with the most bytes. Told apart also by those who see no red or no green, after
/// Okabe and Ito (2008); the last ones are darker steps of the first.
constexpr Colour kTags[] = {{0, 114, 178},  {230, 159, 0}, {0, 158, 115},  {204, 121, 167},
                            {86, 180, 233}, {213, 94, 0},  {240, 228, 66}, {0, 70, 110},
                            {150, 100, 0},  {0, 100, 70},  {130, 70, 105}};

class Canvas {
 public:
  explicit Canvas(int rows)
      : rows_(rows), pixels_(static_cast<std::size_t>(rows) * kWidth, kPaper) {}

  void fill(int x, int y, int columns, int rows, Colour c) {
    for (int r = std::max(0, y); r < std::min(rows_, y + rows); ++r) {
      for (int k = std::max(0, x); k < std::min(kWidth, x + columns); ++k) at(k, r) = c;
    }
  }
  /// Stripes, for what is neither live nor free.
  void stripe(int x, int y, int columns, int rows, Colour c) {
    for (int r = std::max(0, y); r < std::min(rows_, y + rows); ++r) {
      for (int k = std::max(0, x); k < std::min(kWidth, x + columns); ++k)
        at(k, r) = (k + r) % 6 < 3 ? c : kFree;
    }
  }
  void write(int x, int y, const std::string& text, Colour c) {
    for (const char one : text) {
      const Letter& l = letter(one);
      for (int r = 0; r < kLetterRows; ++r) {
        for (int k = 0; k < kLetterColumns; ++k) {
          if ((l.rows[static_cast<std::size_t>(r)] >> (kLetterColumns - 1 - k) & 1) != 0)
            fill(x + k * kScale, y + r * kScale, kScale, kScale, c);
        }
      }
      x += (kLetterColumns + 1) * kScale;
    }
  }
  Tensor tensor() const {
    Tensor out = empty({rows_, kWidth, 3}, {.dtype = DType::uint8});
    std::copy_n(&pixels_[0].r, 3 * pixels_.size(), out.data<std::uint8_t>());
    return out;
  }

 private:
  Colour& at(int x, int y) {
    return pixels_[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)];
  }
  int rows_;
  std::vector<Colour> pixels_;
};

/// Which tag has which colour.
class Colours {
 public:
  explicit Colours(const MemoryByTitle& live) {
    for (const auto& [title, u] : live) sorted_.emplace_back(u.bytes, title);
    std::stable_sort(sorted_.begin(), sorted_.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (std::size_t i = 0; i < named(); ++i) of_[sorted_[i].second] = kTags[i];
  }
  Colour of(const std::string& title) const {
    const auto at = of_.find(title);
    return at == of_.end() ? kRest : at->second;
  }
  std::size_t named() const { return std::min(sorted_.size(), std::size(kTags)); }
  const std::vector<std::pair<std::uint64_t, std::string>>& sorted() const { return sorted_; }

 private:
  std::vector<std::pair<std::uint64_t, std::string>> sorted_;
  std::map<std::string, Colour> of_;
};

/// A line of the picture: a segment's heading, or a row of it.
struct Line {
  const MemorySegment* segment;
  bool heading;
  std::uint64_t row;
  std::size_t first = 0;  // the range in which a row begins
};

std::uint64_t bytes_a_pixel(const MemoryFile& f) {
  std::uint64_t there = 0;
  for (const MemorySegment& s : f.segments) {
    for (const MemoryRange& r : s.ranges) there += r.state == State::Hole ? 0 : r.bytes;
  }
  // A row of pages of 2 MiB at least.
  return std::max<std::uint64_t>(std::bit_ceil(there / (kBar * kWantedRows) + 1), 2048);
}

/// The rows that have memory; nothing of address space without.
std::vector<Line> lines_of(const MemoryFile& f, std::uint64_t row_bytes, bool* cut) {
  std::vector<Line> lines;
  for (const MemorySegment& s : f.segments) {
    bool headed = false;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < s.ranges.size(); ++i) {
      const MemoryRange& r = s.ranges[i];
      if (r.state == State::Hole) continue;
      const std::uint64_t last = (r.offset + r.bytes - 1) / row_bytes;
      for (std::uint64_t row = std::max(next, r.offset / row_bytes); row <= last; ++row) {
        if (lines.size() + 2 > kMostLines) {
          *cut = true;
          return lines;
        }
        if (!headed) lines.push_back({&s, true, 0});
        headed = true;
        // What lies before it in the row is a hole.
        lines.push_back({&s, false, row, i});
      }
      next = std::max(next, last + 1);
    }
  }
  return lines;
}

void draw_slab(Canvas& canvas, const Colours& colours, const MemoryRange& r, int x, int y,
               int columns) {
  canvas.fill(x, y, columns, kRow, kSlabFree);
  int bottom = y + kRow;
  for (const auto& [title, u] : r.slab.titles) {
    const int height = std::max(
        1, static_cast<int>(static_cast<double>(u.bytes) / static_cast<double>(r.bytes) * kRow));
    canvas.fill(x, std::max(y, bottom - height), columns, std::min(height, bottom - y),
                colours.of(title));
    bottom = std::max(y, bottom - height);
  }
}

void draw_range(Canvas& canvas, const Colours& colours, const MemoryRange& r, int x, int y,
                int columns) {
  switch (r.state) {
    case State::Live:
      canvas.fill(x, y, columns, kRow, colours.of(r.title));
      break;
    case State::Slab:
      draw_slab(canvas, colours, r, x, y, columns);
      break;
    case State::Free:
      canvas.fill(x, y, columns, kRow, kFree);
      break;
    case State::Cached:
      canvas.fill(x, y, columns, kRow, kSlabFree);
      break;
    case State::Pending:
      canvas.stripe(x, y, columns, kRow, kPending);
      break;
    case State::Moving:
      canvas.stripe(x, y, columns, kRow, kMoving);
      break;
    case State::Hole:
      return;
  }
  if (columns > 3) canvas.fill(x + columns - 1, y, 1, kRow, kPaper);  // between neighbours
}

void draw_row(Canvas& canvas, const Colours& colours, const Line& line, std::uint64_t pixel,
              int y) {
  const std::uint64_t begin = line.row * pixel * kBar, end = begin + pixel * kBar;
  const std::vector<MemoryRange>& ranges = line.segment->ranges;
  for (std::size_t i = line.first; i < ranges.size() && ranges[i].offset < end; ++i) {
    const MemoryRange& r = ranges[i];
    const std::uint64_t from = std::max(begin, r.offset), to = std::min(end, r.offset + r.bytes);
    if (from >= to) continue;
    const int x = static_cast<int>((from - begin) / pixel);
    const int right = static_cast<int>((to - begin + pixel - 1) / pixel);
    draw_range(canvas, colours, r, kMargin + x, y, std::max(1, right - x));
  }
}

std::string heading(const MemorySegment& s) {
  return fmt::format("{} {}{}, {} {}{}", s.address, memory_text(s.bytes),
                     s.is_virtual ? " of addresses" : "", s.large ? "large" : "small",
                     s.from_resource ? "from a resource" : "from the driver",
                     s.pool == 0 ? "" : fmt::format(", pool {}", s.pool));
}

struct Sign {
  enum class Kind : std::uint8_t { Fill, Stripes } kind;
  Colour colour;
  std::string text;
};

std::vector<Sign> legend(const MemoryFile& f, const Colours& colours) {
  std::vector<Sign> out;
  for (std::size_t i = 0; i < colours.named(); ++i) {
    const auto& [bytes, title] = colours.sorted()[i];
    const std::string size = " " + memory_text(bytes);
    const std::size_t room = kTextColumns - size.size();
    const bool fits = title.size() <= room;
    out.push_back({Sign::Kind::Fill, colours.of(title),
                   (fits ? title : title.substr(0, room - 2) + "..") + size});
  }
  if (colours.sorted().size() > colours.named())
    out.push_back({Sign::Kind::Fill, kRest, "other tags"});
  out.push_back({Sign::Kind::Fill, kFree, "free " + memory_text(f.free_ranges)});
  out.push_back({Sign::Kind::Fill, kSlabFree, "free for small blocks, or cached"});
  if (f.pending != 0)
    out.push_back({Sign::Kind::Stripes, kPending, "waits for a stream " + memory_text(f.pending)});
  for (const MemorySegment& s : f.segments) {
    if (std::none_of(s.ranges.begin(), s.ranges.end(),
                     [](const MemoryRange& r) { return r.state == State::Moving; }))
      continue;
    out.push_back({Sign::Kind::Stripes, kMoving, "comes or goes"});
    break;
  }
  return out;
}

}  // namespace

void draw_memory(const MemoryFile& f, const std::string& path) {
  const std::uint64_t pixel = bytes_a_pixel(f);
  bool cut = false;
  const std::vector<Line> lines = lines_of(f, pixel * kBar, &cut);
  const Colours colours(f.live);
  const std::vector<Sign> signs = legend(f, colours);
  const int legend_rows = static_cast<int>((signs.size() + kLegendColumns - 1) / kLegendColumns);
  int rows = 2 * kMargin + (3 + legend_rows + (cut ? 1 : 0)) * kLine + kMargin;
  for (const Line& line : lines) rows += line.heading ? kLine + kGap : kRow + kGap;
  Canvas canvas(rows);
  int y = kMargin;
  canvas.write(kMargin, y,
               fmt::format("{}: {} held, {} live, {} cached", f.device, memory_text(f.reserved),
                           memory_text(f.allocated), memory_text(f.cached)),
               kInk);
  y += kLine;
  canvas.write(kMargin, y,
               fmt::format("a row is {}, largest free {}", memory_text(pixel * kBar),
                           memory_text(f.largest_free)),
               kInk);
  y += kLine + kLine / 2;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    const int x = kMargin + static_cast<int>(i % kLegendColumns) * (kBar / 2);
    const int top = y + static_cast<int>(i / kLegendColumns) * kLine;
    canvas.fill(x, top, 14, 14, kFrame);
    if (signs[i].kind == Sign::Kind::Fill)
      canvas.fill(x + 1, top + 1, 12, 12, signs[i].colour);
    else
      canvas.stripe(x + 1, top + 1, 12, 12, signs[i].colour);
    canvas.write(x + 20, top, signs[i].text, kInk);
  }
  y += legend_rows * kLine + kMargin;
  for (const Line& line : lines) {
    if (line.heading) {
      canvas.write(kMargin, y + kGap, heading(*line.segment), kInk);
    } else {
      draw_row(canvas, colours, line, pixel, y);
    }
    y += line.heading ? kLine + kGap : kRow + kGap;
  }
  if (cut) canvas.write(kMargin, y, "the rest is left out", kInk);
  io::write_png(path, canvas.tensor(), 6);
}

}  // namespace tandem::command
