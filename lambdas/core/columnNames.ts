/**
 * The words by which columns are recognised, in the languages and systems that we know.
 */
import type { Field } from './columns.ts';

/** Names of each field, as the words of a header run together. Of two that a file has, the one in the earlier group wins. */
export const names: Readonly<Record<Exclude<Field, 'email'>, readonly (readonly string[])[]>> = {
  firstName: [
    words('firstname givenname forename vorname prenom nombre nome fornavn fornamn voornaam imie'),
    ['preferredfirstname'],
    ['legalfirstname'],
    ['first'],
  ],
  lastName: [
    words(
      'lastname surname familyname nachname nom nomdefamille apellido apellidos cognome sobrenome etternavn efternavn',
    ),
    words('efternamn achternaam nazwisko preferredlastname'),
    ['legallastname'],
    ['last'],
  ],
  jobTitle: [
    words('jobtitle jobfunction worktitle employeetitle positiontitle businesstitle jobtitledescription'),
    ['title'],
    words('position stelle stellenbezeichnung poste fonction cargo puesto funktion'),
  ],
  role: [['roleid'], words('role userrole rolename doitrole')],
  organization: [words('organizationid organisationid orgid'), words('organization organisation organizationname org')],
};

export const emailWords = new Set(
  words('email mail correo courriel epost emailadresse emailadress emailadres mailadresse emailaddress electronico'),
);
/** Words that make a column with an email address the one of work. */
export const workWords = new Set(
  words(
    'work business company corporate office professional dienstlich dienstliche geschaftlich geschaftliche arbeit travail professionnel trabajo lavoro',
  ),
);
/** Words that change nothing about whose address it is. A column with any other word is not taken without being told to. */
export const neutralWords = new Set(
  words(
    'address adresse id primary main contact user employee staff member person worker default login the de di d to invite invitee mitarbeiter address1 1',
  ),
);
/** Other ways to write the name of such a column, run together. */
export const emailKeys = new Set(
  words('useremail workemail businessemail companyemail emailid emailaddress workmail usermail workcontactworkemail'),
);

/** Columns that say whether a person is still there. */
export const statusNames = new Set(
  words(`
    status accountstatus userstatus employeestatus employmentstatus workerstatus workstatus positionstatus assignmentstatus
    associatestatus jobstatus hrstatus payrollstatus currentstatus contractstatus empstatus lifecycle lifecyclestatus
    lifecyclestage lifecyclestate accountenabled enabled active isactive activestatus employmentstate accountstate userstate
    beschaftigungsstatus mitarbeiterstatus statut estadodelempleado estadolaboral stato
  `),
);
/** Columns in which a yes says that a person is gone. */
export const goneNames = new Set(
  words(
    'disabled isdisabled suspended issuspended terminated isterminated archived deactivated accountdisabled deleted',
  ),
);
/** Columns whose dates are not looked at. */
export const leavingDateName =
  /^(?:termination|leaving|exit|end|lastday|offboarding|separation|austritt|kundigung)s?(?:date|datum|ofwork|on)?$/u;

/** Columns that only an export of a directory or an HR system has: there, “organization” and “role” are not DoiT's. */
export const exportNames = new Set(
  words(`
    login userprincipalname objectid employeeid employeenumber employeetype workerid personnelnumber personalnummer
    department division costcenter manager managerid hiredate startdate reportsto jobcode userid associateid businessunit
  `),
);

/** Words of columns that are somebody else's, or private, without doubt. */
export const othersOnly =
  /recover|second|backup|altern|other|person|privat|home|manager|supervis|reports|approv|assist|emergen|spouse|forward|alias|previous|vorgesetzt|responsab|jefe|boss|lead|mentor|owner|partner|buddy|kin|upload|new|status|verified|opt|stop|code|nick|voice|usage|send|notif|invitation|count|quota|domain|signature|format|type|language|template|consent/u;

function words(list: string): readonly string[] {
  return list.trim().split(/\s+/u);
}
