/** Names as they stand in the lists of an English city's practices: by where a family comes from, and by generation. */

export type Sex = 'female' | 'male'

export interface Heritage {
  /** How many in a hundred, about. */
  readonly share: number
  /** Born before 1960, and since. */
  readonly older: Readonly<Record<Sex, readonly string[]>>
  readonly younger: Readonly<Record<Sex, readonly string[]>>
  readonly family: readonly string[]
  /** What is spoken at home besides English. */
  readonly language?: string
  readonly faiths: readonly string[]
}

const list = (names: string): readonly string[] => names.split(', ')

const heritage = (
  share: number,
  [olderFemale, olderMale, youngerFemale, youngerMale, family]: readonly [
    string,
    string,
    string,
    string,
    string,
  ],
  faiths: string,
  language?: string,
): Heritage => ({
  share,
  older: { female: list(olderFemale), male: list(olderMale) },
  younger: { female: list(youngerFemale), male: list(youngerMale) },
  family: list(family),
  faiths: list(faiths),
  ...(language === undefined ? {} : { language }),
})

// biome-ignore format: a table
export const HERITAGES: Readonly<Record<string, Heritage>> = {
  english: heritage(44, [
    'Dorothy, Joan, Jean, Betty, Sheila, Barbara, Brenda, Maureen, Audrey, Pamela, Beryl, Hilda, Edna, Iris, Norma, Shirley, Valerie, Rita, Sylvia, Kathleen, Marjorie, Eileen, Patricia, Ann',
    'Ronald, Kenneth, Dennis, Derek, Roy, Raymond, Stanley, Leonard, Norman, Gordon, Harold, Frank, Eric, Ernest, Reginald, Donald, Geoffrey, Alan, Brian, Terence, Cyril, Clifford, Maurice, Trevor',
    'Karen, Tracey, Julie, Nicola, Sarah, Joanne, Emma, Laura, Gemma, Rebecca, Hannah, Charlotte',
    'Kevin, Gary, Stephen, Darren, Jason, Matthew, Daniel, Adam, Liam, Ryan, Thomas, Oliver',
    'Barker, Bradshaw, Carter, Chadwick, Clegg, Cooper, Dawson, Ellis, Fletcher, Gibbs, Greenwood, Harding, Hargreaves, Holt, Hudson, Jarvis, Kirkham, Lawson, Marsden, Newton, Palmer, Pickering, Rawlinson, Sharples, Shaw, Stubbs, Tattersall, Thornton, Walker, Wardle, Whitehead, Wilkinson, Ashdown, Birtwistle, Cartwright, Duckworth, Entwistle, Garside, Heywood, Longbottom, Ogden, Openshaw, Ramsbottom, Schofield, Tomlinson, Yates',
  ], 'Church of England, Church of England, Methodist, None, None, Roman Catholic'),
  irish: heritage(7, [
    'Bridget, Nora, Philomena, Teresa, Breda, Maura, Josephine, Carmel, Bernadette, Una',
    'Patrick, Michael, Sean, Cornelius, Thomas, Declan, Dermot, Eamon, Gerard, Martin',
    'Aoife, Niamh, Sinéad, Orla, Ciara, Gráinne', 'Conor, Brendan, Cormac, Fergal, Niall, Rory',
    "Brennan, Byrne, Doyle, Fitzgerald, Gallagher, Kavanagh, Keane, McCarthy, Nolan, O'Brien, O'Sullivan, Quinn, Walsh",
  ], 'Roman Catholic, Roman Catholic, Roman Catholic, None'),
  welsh: heritage(4, [
    'Gwyneth, Megan, Mair, Olwen, Eirlys, Bronwen, Nesta', 'Idris, Gwilym, Emrys, Ieuan, Hywel, Glyn, Trefor',
    'Carys, Sioned, Rhian, Elin', 'Gethin, Rhys, Huw, Iwan',
    'Bowen, Davies, Griffiths, Hughes, Jenkins, Morgan, Parry, Powell, Rees, Vaughan',
  ], 'Chapel, Chapel, None, Church in Wales'),
  scottish: heritage(4, [
    'Morag, Isobel, Agnes, Elspeth, Moira, Jessie, Catriona', 'Alasdair, Hamish, Angus, Malcolm, Murdo, Duncan, Archibald',
    'Kirsty, Ailsa, Fiona, Mhairi', 'Craig, Euan, Fraser, Scott',
    'Buchanan, Cameron, Drummond, Galbraith, Henderson, MacLeod, McIntyre, Ross, Sinclair, Urquhart',
  ], 'Church of Scotland, Church of Scotland, None, Roman Catholic'),
  caribbean: heritage(10, [
    'Myrtle, Icilda, Hyacinth, Gloria, Merle, Enid, Daphne, Lurline, Verona, Cynthia, Pearl, Beulah',
    'Winston, Clifton, Delroy, Neville, Cecil, Lloyd, Egbert, Vincent, Aston, Carlton, Rupert, Hopeton',
    'Marcia, Sonia, Jacqueline, Shanice, Natalie, Keisha', 'Errol, Leroy, Marlon, Jermaine, Andre, Tyrone',
    'Bailey, Beckford, Brathwaite, Clarke, Cumberbatch, Francis, Gayle, Grant, Joseph, McKenzie, Morrison, Pinnock, Powell, Samuels, Wynter',
  ], 'New Testament Church of God, Pentecostal, Seventh-day Adventist, Church of England, Rastafari'),
  nigerian: heritage(4, [
    'Comfort, Florence, Grace, Patience, Abosede, Ngozi, Folasade', 'Emmanuel, Godwin, Babatunde, Sunday, Olusegun, Chukwuemeka, Festus',
    'Chidinma, Temitope, Blessing, Funmilayo, Adaeze, Titilayo', 'Oluwaseun, Chinedu, Tunde, Ikenna, Kelechi, Ayodele',
    'Adeleke, Afolabi, Bankole, Balogun, Eze, Ibekwe, Nwosu, Okeke, Okonkwo, Olawale, Onyekachi, Oyelaran',
  ], 'Redeemed Christian Church of God, Anglican, Roman Catholic, Muslim', 'Yoruba'),
  ghanaian: heritage(3, [
    'Akosua, Beatrice, Esther, Felicia, Adwoa, Mercy', 'Kofi, Kwasi, Samuel, Yaw, Isaac, Kwabena',
    'Abena, Efua, Serwaa, Afia', 'Kwaku, Kojo, Nana, Ebenezer',
    'Addo, Agyeman, Amoah, Asamoah, Boakye, Darko, Mensah, Ofori, Owusu, Sarpong',
  ], 'Methodist, Presbyterian, Church of Pentecost', 'Twi'),
  gujarati: heritage(5, [
    'Kantaben, Savita, Pushpa, Manjula, Hansa, Jayaben, Urmila, Nirmala', 'Ramesh, Mahendra, Jayantilal, Kantilal, Suresh, Harshad, Bharat, Chandrakant',
    'Bhavna, Heena, Nisha, Reena', 'Hitesh, Nilesh, Amit, Jignesh',
    'Desai, Joshi, Kapadia, Lakhani, Mehta, Mistry, Patel, Shah, Solanki, Thakkar',
  ], 'Hindu, Hindu, Hindu, Jain', 'Gujarati'),
  punjabi: heritage(4, [
    'Gurdev Kaur, Surjit Kaur, Mohinder Kaur, Balbir Kaur, Jaswant Kaur', 'Gurbachan Singh, Mohan Singh, Darshan Singh, Harbans Singh, Ajit Singh',
    'Manpreet Kaur, Rajinder Kaur, Kiran Kaur', 'Sukhdev Singh, Jaspal Singh, Amrit Singh',
    'Bains, Dhaliwal, Gill, Grewal, Johal, Mann, Sangha, Sidhu, Virdee',
  ], 'Sikh', 'Punjabi'),
  pakistani: heritage(6, [
    'Zubaida, Razia, Nasreen, Parveen, Hanifa, Sakina, Kulsoom', 'Mohammed Aslam, Abdul Rashid, Ghulam, Mohammed Yousaf, Bashir, Nazir, Karamat',
    'Samina, Shazia, Ayesha, Rubina', 'Imran, Tariq, Zahid, Kamran',
    'Akhtar, Bhatti, Chaudhry, Hussain, Iqbal, Khan, Mahmood, Malik, Mirza, Qureshi, Sheikh',
  ], 'Muslim', 'Urdu and Punjabi'),
  bangladeshi: heritage(4, [
    'Rokeya, Momtaz, Anwara, Jahanara, Shamsun', 'Abdul Karim, Shafiqul, Mofizur, Nurul, Siddiqur',
    'Farzana, Nazmin, Shirin', 'Mizanur, Rezaul, Shahin',
    'Ahmed, Alam, Chowdhury, Haque, Islam, Miah, Sarker, Talukder, Uddin',
  ], 'Muslim', 'Bengali (Sylheti)'),
  polish: heritage(3, [
    'Zofia, Krystyna, Halina, Irena, Danuta', 'Zbigniew, Tadeusz, Kazimierz, Henryk, Jerzy',
    'Agnieszka, Małgorzata, Katarzyna', 'Paweł, Marcin, Tomasz',
    'Dudek, Kaczmarek, Mazur, Nowak, Pawlak, Wójcik, Wróbel, Zając',
  ], 'Roman Catholic', 'Polish'),
  chinese: heritage(2, [
    'Mei Ling, Siu Fong, Lai Wah, Yuk Ying', 'Kwok Wai, Chi Keung, Wing Hong, Tak Ming', 'Wai Yee, Ka Yan', 'Chun Kit, Ho Yin',
    'Chan, Cheung, Ho, Lam, Lau, Ng, Wong, Yeung',
  ], 'None, Buddhist, Christian', 'Cantonese'),
  cypriot: heritage(2, [
    'Androulla, Eleni, Despina, Maroulla', 'Andreas, Costas, Panayiotis, Savvas', 'Maria, Christina', 'Nicos, Stelios',
    'Charalambous, Christodoulou, Demetriou, Georgiou, Hadjigeorgiou, Ioannou',
  ], 'Greek Orthodox', 'Greek'),
  turkish: heritage(2, [
    'Emine, Hatice, Fatma, Sevim', 'Mehmet, Hüseyin, Mustafa, Osman', 'Elif, Zeynep', 'Emre, Murat',
    'Aydın, Çelik, Demir, Kaya, Özdemir, Yıldız',
  ], 'Muslim, Muslim, Alevi', 'Turkish'),
  somali: heritage(2, [
    'Halimo, Khadija, Sahra, Maryan', 'Abdi, Yusuf, Ismail, Mohamud', 'Hodan, Ifrah', 'Ahmed, Bilal',
    'Abdullahi, Farah, Hassan, Jama, Nur, Warsame',
  ], 'Muslim', 'Somali'),
  portuguese: heritage(1, [
    'Maria da Conceição, Fernanda, Lurdes', 'Joaquim, Manuel, António', 'Sofia, Catarina', 'Rui, Nuno',
    'Carvalho, Fonseca, Gonçalves, Pereira, Teixeira',
  ], 'Roman Catholic', 'Portuguese'),
}
