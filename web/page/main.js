// The scripts one after the other, the race last, which begins by itself: a server with few threads keeps one for each
// connection, and a browser that asks for all at once opens more of them than it has.

await import("./digits.js");
await import("./lecture.js");
await import("./noise.js");
await import("./race.js");
