/**
 * What is used here of `ical.js` 2.2: `tsconfig.json` has these stand in for its own types, which do not compile (imports
 * without endings, an accessor that is overridden by a property).
 */
declare namespace ICAL {
  /** jCal; an array of them where the text holds several components. Throws. */
  function parse(text: string): unknown

  interface Zone {
    /** `UTC`, `floating`, or the name of the VTIMEZONE. */
    readonly tzid: string
  }

  interface Time {
    readonly year: number
    /** From 1. */
    readonly month: number
    readonly day: number
    readonly hour: number
    readonly minute: number
    readonly second: number
    /** A day without a time. */
    readonly isDate: boolean
    readonly zone: Zone
    /** Seconds. */
    toUnixTime(): number
  }

  interface Property {
    getParameter(name: string): string | readonly string[] | undefined
    toICALString(): string
  }

  class Event {
    /** Unless `exceptions` are given, all of the calendar's are taken, whatever their UID. */
    constructor(component: Component, options: { readonly exceptions: readonly Component[] })
    readonly component: Component
    readonly summary: string | null
    readonly startDate: Time
    /** Made of DURATION where there is no DTEND. */
    readonly endDate: Time
    isRecurring(): boolean
    iterator(): { next(): Time | null | undefined }
    getOccurrenceDetails(occurrence: Time): { readonly item: Event; readonly startDate: Time; readonly endDate: Time }
  }

  class Component {
    constructor(jcal: readonly unknown[])
    getAllSubcomponents(name: string): Component[]
    getAllProperties(name: string): Property[]
    getFirstProperty(name: string): Property | null
    getFirstPropertyValue(name: string): unknown
    hasProperty(name: string): boolean
  }
}

export default ICAL
