import { describe, expect, test } from 'vitest';
import { ApiWeather } from '../../../lambdas/worker/apiWeather.ts';

describe('an answer 429', () => {
  test('says something new where its call started after the last one', () => {
    const weather = new ApiWeather(1000);
    expect(weather.slowedDown(1000, 1500, undefined)).toBe(true);
    expect(weather.slowedDown(1501, 2000, undefined)).toBe(true);
  });

  test('says nothing new where another call, under way at the same time, had it before', () => {
    const weather = new ApiWeather(1000);
    weather.slowedDown(1000, 1500, undefined);
    const place = weather.reserveStart(1500);
    expect(weather.slowedDown(1200, 1600, 60_000)).toBe(false);
    expect(weather.isPlaceValid(place)).toBe(true);
    expect(place.startAtMs).toBe(3500);
  });

  test('voids the places that were taken before it', () => {
    const weather = new ApiWeather(1000);
    const place = weather.reserveStart(1000);
    weather.slowedDown(1000, 1500, undefined);
    expect(weather.isPlaceValid(place)).toBe(false);
  });
});
